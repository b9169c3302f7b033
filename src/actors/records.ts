/** Entries of an actor's state, by key. */
export type Entries<Entry> = Readonly<Record<string, Entry>>;

/** The entries with one of them changed. Throws `RangeError` if there is no such entry. */
export function changed<Entry extends object>(
  entries: Entries<Entry>,
  key: string,
  change: (entry: Entry) => Partial<Entry>,
): Entries<Entry> {
  const entry = known(entries[key], key);
  return { ...entries, [key]: { ...entry, ...change(entry) } };
}

/** One entry, and the others. Throws `RangeError` if there is no such entry. */
export function takenOut<Entry>(entries: Entries<Entry>, key: string): readonly [Entry, Entries<Entry>] {
  const { [key]: entry, ...others } = entries;
  return [known(entry, key), others];
}

/** An event about an unknown entry is a fault of the actor that recorded it, and must not be ignored. */
function known<Entry>(entry: Entry | undefined, key: string): Entry {
  if (entry === undefined) throw new RangeError(`Nothing is known under "${key}".`);
  return entry;
}
