/** Reads data of any form for display. A missing value, or one of another type, reads as empty. */
export interface Fields {
  text(...path: readonly string[]): string;
  number(...path: readonly string[]): number;
  flag(...path: readonly string[]): boolean;
  list(...path: readonly string[]): readonly Fields[];
  /** A list of texts, separated by commas. */
  texts(...path: readonly string[]): string;
  under(...path: readonly string[]): Fields;
}

export function fieldsOf(data: unknown): Fields {
  const at = (path: readonly string[]): unknown =>
    path.reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      data,
    );
  const listAt = (path: readonly string[]): readonly unknown[] => {
    const value = at(path);
    return Array.isArray(value) ? value : [];
  };
  return {
    text(...path) {
      const value = at(path);
      return typeof value === 'string' ? value : '';
    },
    number(...path) {
      const value = at(path);
      return typeof value === 'number' ? value : 0;
    },
    flag: (...path) => at(path) === true,
    list: (...path) => listAt(path).map(fieldsOf),
    texts: (...path) => listAt(path).map(String).join(', '),
    under: (...path) => fieldsOf(at(path)),
  };
}
