/**
 * The natural keys that an aggregate has seen lately, oldest first. A redelivered command comes within minutes, so a
 * bounded memory is enough, and the bound keeps contexts and snapshots small.
 */
export type RecentKeys = readonly string[];

/** Adds a key. Between `limit` and twice as many are kept, so that most additions only copy. */
export function remember(keys: RecentKeys, key: string, limit: number): RecentKeys {
  const kept = keys.length >= 2 * limit ? keys.slice(-limit) : keys;
  return [...kept, key];
}
