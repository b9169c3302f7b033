const COPULA = /^(.+?)(?:'s|\s+(?:is|are|was|were|would be))\s+(.+)$/i;

/** Lower-case words without accents, punctuation and articles, with single spaces between them. */
export function plainWords(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/(?<![^ ])(?:the|an?)(?= )/g, '')
    .replace(/ +/g, ' ')
    .trim();
}

/** The two sides of "X is Y"; null if the text is not such a sentence. */
export function copulaSides(text: string): readonly [string, string] | null {
  const [, left, right] = COPULA.exec(text) ?? [];
  return left === undefined || right === undefined ? null : [left, right];
}

export function wordCount(text: string): number {
  return text.trim().split(/\s+/).length;
}
