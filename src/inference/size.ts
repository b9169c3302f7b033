/** A number of bytes as a person reads it. */
export function bytes(count: number): string {
  return count < 1e6
    ? `${(count / 1e3).toFixed(0)} kB`
    : count < 1e9
      ? `${(count / 1e6).toFixed(0)} MB`
      : `${(count / 1e9).toFixed(2)} GB`;
}
