/**
 * Public models of 0.6–3 GB that llama.cpp runs. Files and addresses are those of the named repositories. Sizes are
 * rounded; `dellm models pull` uses the size that the server gives. There are no checksums, because none are known
 * here. So a download is checked only by its size and its header.
 */
export interface PublicModel {
  readonly id: string;
  readonly name: string;
  /** `owner/repository/file` on Hugging Face. */
  readonly source: string;
  readonly approximateBytes: number;
  readonly parameters: number;
  readonly quantisation: string;
  readonly licence: string;
}

export const PUBLIC_MODELS: readonly PublicModel[] = [
  {
    id: 'qwen25-05b',
    name: 'Qwen2.5 0.5B Instruct',
    source: 'Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q8_0.gguf',
    approximateBytes: 676e6,
    parameters: 494e6,
    quantisation: 'Q8_0',
    licence: 'Apache-2.0',
  },
  {
    id: 'qwen25-15b',
    name: 'Qwen2.5 1.5B Instruct',
    source: 'Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf',
    approximateBytes: 1.12e9,
    parameters: 1.54e9,
    quantisation: 'Q4_K_M',
    licence: 'Apache-2.0',
  },
  {
    id: 'qwen25-math-15b',
    name: 'Qwen2.5 Math 1.5B Instruct',
    source: 'bartowski/Qwen2.5-Math-1.5B-Instruct-GGUF/Qwen2.5-Math-1.5B-Instruct-Q4_K_M.gguf',
    approximateBytes: 0.99e9,
    parameters: 1.54e9,
    quantisation: 'Q4_K_M',
    licence: 'Apache-2.0',
  },
  {
    id: 'qwen25-coder-05b',
    name: 'Qwen2.5 Coder 0.5B Instruct',
    source: 'Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/qwen2.5-coder-0.5b-instruct-q8_0.gguf',
    approximateBytes: 676e6,
    parameters: 494e6,
    quantisation: 'Q8_0',
    licence: 'Apache-2.0',
  },
  {
    id: 'qwen25-coder-15b',
    name: 'Qwen2.5 Coder 1.5B Instruct',
    source: 'Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
    approximateBytes: 1.12e9,
    parameters: 1.54e9,
    quantisation: 'Q4_K_M',
    licence: 'Apache-2.0',
  },
  {
    id: 'deepseek-coder-13b',
    name: 'DeepSeek Coder 1.3B Instruct',
    source: 'TheBloke/deepseek-coder-1.3b-instruct-GGUF/deepseek-coder-1.3b-instruct.Q4_K_M.gguf',
    approximateBytes: 0.87e9,
    parameters: 1.35e9,
    quantisation: 'Q4_K_M',
    licence: 'DeepSeek License',
  },
  {
    id: 'llama-32-1b',
    name: 'Llama 3.2 1B Instruct',
    source: 'bartowski/Llama-3.2-1B-Instruct-GGUF/Llama-3.2-1B-Instruct-Q4_K_M.gguf',
    approximateBytes: 0.81e9,
    parameters: 1.24e9,
    quantisation: 'Q4_K_M',
    licence: 'Llama 3.2 Community License',
  },
  {
    id: 'tinyllama-11b',
    name: 'TinyLlama 1.1B Chat',
    source: 'TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF/tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf',
    approximateBytes: 669e6,
    parameters: 1.1e9,
    quantisation: 'Q4_K_M',
    licence: 'Apache-2.0',
  },
  {
    id: 'smollm2-17b',
    name: 'SmolLM2 1.7B Instruct',
    source: 'bartowski/SmolLM2-1.7B-Instruct-GGUF/SmolLM2-1.7B-Instruct-Q4_K_M.gguf',
    approximateBytes: 1.06e9,
    parameters: 1.71e9,
    quantisation: 'Q4_K_M',
    licence: 'Apache-2.0',
  },
  {
    id: 'gemma-2-2b',
    name: 'Gemma 2 2B Instruct',
    source: 'bartowski/gemma-2-2b-it-GGUF/gemma-2-2b-it-Q4_K_M.gguf',
    approximateBytes: 1.71e9,
    parameters: 2.61e9,
    quantisation: 'Q4_K_M',
    licence: 'Gemma Terms of Use',
  },
  {
    id: 'phi-2',
    name: 'Phi-2',
    source: 'TheBloke/phi-2-GGUF/phi-2.Q4_K_M.gguf',
    approximateBytes: 1.79e9,
    parameters: 2.78e9,
    quantisation: 'Q4_K_M',
    licence: 'MIT',
  },
];
