const PLACE = '{question}';

/** Puts the task's prompt in place of every `{question}`; a `{question}` inside the prompt itself stays text. */
export function fillTemplate(template: string, prompt: string): string {
  return template.split(PLACE).join(prompt);
}
