/** What an actor knows, by key. */
export type Entries<Entry> = Readonly<Record<string, Entry>>;

/** With a change to one entry. Throws `RangeError` where there is none. */
export function changed<Entry extends object>(
  entries: Entries<Entry>,
  key: string,
  change: (entry: Entry) => Partial<Entry>,
): Entries<Entry> {
  const entry = known(entries[key], key);
  return { ...entries, [key]: { ...entry, ...change(entry) } };
}

/** One entry, and the others. Throws `RangeError` where there is none. */
export function takenOut<Entry>(entries: Entries<Entry>, key: string): readonly [Entry, Entries<Entry>] {
  const { [key]: entry, ...others } = entries;
  return [known(entry, key), others];
}

/** An event about something unknown is a fault of whoever recorded it, and must not be ignored. */
function known<Entry>(entry: Entry | undefined, key: string): Entry {
  if (entry === undefined) throw new RangeError(`Nothing is known under "${key}".`);
  return entry;
}
