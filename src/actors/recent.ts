/**
 * Natural keys that an aggregate has seen lately, oldest first. A command is redelivered within minutes, so a
 * limited number is enough, and contexts and snapshots stay small.
 */
export type RecentKeys = readonly string[];

/** Adds a key. Keeps between `limit` and twice as many, so that most additions only copy. */
export function remember(keys: RecentKeys, key: string, limit: number): RecentKeys {
  const kept = keys.length >= 2 * limit ? keys.slice(-limit) : keys;
  return [...kept, key];
}
