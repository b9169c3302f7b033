import type { LlamaModel, Token } from 'node-llama-cpp';
import { LlamaText, resolveChatWrapper } from 'node-llama-cpp';

/** A tokenised prompt, and the token sequences that end an answer in addition to end-of-generation. */
export interface TokenizedPrompt {
  readonly tokens: readonly Token[];
  readonly stops: readonly (readonly Token[])[];
}

export type PromptTemplate = (system: string, question: string) => TokenizedPrompt;

/**
 * The template that a model was trained with. The question is foreign text, so it is tokenised without special
 * tokens: a marker such as `<|end|>` in it stays the seven characters that it is.
 */
export function promptTemplateOf(model: LlamaModel): PromptTemplate {
  return miniatureTemplate(model) ?? chatTemplate(model);
}

/** The miniature models know `<|user|>Q<|bot|>` and no system prompt. Only they have a single token for `<|bot|>`. */
function miniatureTemplate(model: LlamaModel): PromptTemplate | undefined {
  const [user, ...userRest] = model.tokenize('<|user|>', true);
  const [bot, ...botRest] = model.tokenize('<|bot|>', true);
  if (user === undefined || bot === undefined || userRest.length > 0 || botRest.length > 0) return undefined;
  return (_system, question) => ({ tokens: [user, ...model.tokenize(question, false), bot], stops: [] });
}

function chatTemplate(model: LlamaModel): PromptTemplate {
  const wrapper = resolveChatWrapper(model);
  return (system, question) => {
    const { contextText, stopGenerationTriggers } = wrapper.generateContextState({
      chatHistory: [
        ...wrapper.generateInitialChatHistory({ systemPrompt: system }),
        { type: 'user', text: question },
        { type: 'model', response: [] },
      ],
    });
    return {
      tokens: contextText.tokenize(model.tokenizer),
      stops: stopGenerationTriggers
        .map((trigger) => LlamaText(trigger).tokenize(model.tokenizer))
        .filter((stop) => stop.length > 0),
    };
  };
}
