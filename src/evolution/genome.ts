const PLACE = '{question}';

/**
 * Replaces every `{question}` in the template by the task's prompt. A `{question}` inside the prompt stays as
 * it is.
 */
export function fillTemplate(template: string, prompt: string): string {
  return template.split(PLACE).join(prompt);
}
