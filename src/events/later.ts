/** The time (ISO 8601) that is `ms` milliseconds after another one. */
export function later(at: string, ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString();
}
