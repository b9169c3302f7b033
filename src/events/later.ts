/** The time (ISO 8601) so many milliseconds after another one. */
export function later(at: string, ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString();
}
