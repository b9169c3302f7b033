/** Several measurements of the same thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The nearest-rank percentile, `share` from 0 to 1; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function spread(values: readonly number[]): Spread {
  return {
    median: percentile(values, 0.5),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How many times as large `of` is as `base`, pair by pair in the order of measuring, so that both saw the same machine. */
export function ratios(of: readonly number[], base: readonly number[]): Spread {
  return spread(of.map((value, index) => value / (base[index] ?? Number.NaN)));
}

/**
 * Runs every contestant in turn, `repetitions` times over, after `warmUps` rounds that are thrown away. Gives the samples
 * of each by name.
 */
export async function interleaved<Sample>(
  repetitions: number,
  contestants: Readonly<Record<string, () => Promise<Sample>>>,
  warmUps = 1,
): Promise<Readonly<Record<string, Sample[]>>> {
  const samples: Record<string, Sample[]> = {};
  for (let round = -warmUps; round < repetitions; round += 1) {
    for (const [name, contestant] of Object.entries(contestants)) {
      const sample = await contestant();
      if (round >= 0) samples[name] = [...(samples[name] ?? []), sample];
    }
  }
  return samples;
}

/** Calls `task` `count` times, `inFlight` at a time; gives each call's milliseconds and those of the whole. */
export async function load(
  count: number,
  inFlight: number,
  task: (index: number, worker: number) => Promise<void>,
): Promise<{ readonly totalMs: number; readonly eachMs: readonly number[] }> {
  const eachMs: number[] = [];
  let next = 0;
  async function work(worker: number): Promise<void> {
    for (let index = next++; index < count; index = next++) {
      const began = performance.now();
      await task(index, worker);
      eachMs.push(performance.now() - began);
    }
  }
  const began = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, (_, worker) => work(worker)));
  return { totalMs: performance.now() - began, eachMs };
}

export async function timed(task: () => Promise<unknown> | unknown): Promise<number> {
  const began = performance.now();
  await task();
  return performance.now() - began;
}

export function grouped<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
