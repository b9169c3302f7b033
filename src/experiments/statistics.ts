import type { Draws } from './draws.ts';

/** What comparisons of experiments rest on. Random numbers come in as draws, so that results are the same anywhere. */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface PermutationTest {
  /** Two-sided. */
  readonly p: number;
  /** Whether all arrangements were looked at; if not, a sample of them was. */
  readonly exact: boolean;
  /** The smallest p that so few values can give. */
  readonly smallest: number;
}

/** Quantile of the standard normal distribution for a two-sided interval of 95 %. */
const Z_95 = 1.959963984540054;
const RESAMPLES = 10_000;
/** Up to this many arrangements, all are counted. */
const EXACT_ARRANGEMENTS = 100_000;
/** Sums that differ by less than this share count as the same sum in another order. */
const ROUNDING = 1e-12;

/** NaN of nothing. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Standard deviation of a sample, with divisor n − 1; NaN of fewer than two. */
export function sd(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

/**
 * Quantile of sorted values by linear interpolation, `share` from 0 to 1; NaN of nothing. Definition 7 of Hyndman &
 * Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996).
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (place - Math.floor(place)) * (above - below);
}

/**
 * Score interval of a proportion, 95 % unless told otherwise: `right` of `of` independent trials. Wilson, "Probable
 * inference, the law of succession, and statistical inference", JASA 22 (1927). Of no trials it is all of 0–1.
 */
export function wilsonInterval(right: number, of: number, z = Z_95): Interval {
  if (of === 0) return { low: 0, high: 1 };
  const share = right / of;
  const spread = z ** 2 / of;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (z / (1 + spread)) * Math.sqrt((share * (1 - share)) / of + spread / (4 * of));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Percentile interval of a statistic of one or several independent samples. Efron & Tibshirani, "An Introduction to the
 * Bootstrap" (1993), chapter 13. Null if a sample has fewer than two values, because its spread is unknown. With a
 * dozen values or fewer it is somewhat too narrow, like all intervals of this kind.
 */
export function bootstrapInterval(
  samples: readonly (readonly number[])[],
  statistic: (...resampled: number[][]) => number,
  draws: Draws,
  { confidence = 0.95, resamples = RESAMPLES } = {},
): Interval | null {
  if (samples.some(({ length }) => length < 2)) return null;
  const found = new Float64Array(resamples);
  let index = 0;
  const resample = (sample: readonly number[]): number[] =>
    sample.map(() => sample[Math.floor(draws(index++) * sample.length)] ?? Number.NaN);
  for (let at = 0; at < resamples; at += 1) found[at] = statistic(...samples.map(resample));
  found.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(found, tail), high: quantile(found, 1 - tail) };
}

export function meanInterval(values: readonly number[], draws: Draws): Interval | null {
  return bootstrapInterval([values], mean, draws);
}

/**
 * Two-sided permutation test that differences of pairs are symmetric around 0, by their mean: under the null hypothesis
 * each could as well have had the other sign. Fisher, "The Design of Experiments" (1935), § 21; Efron & Tibshirani
 * (1993), chapter 15. Sampled p-values count the observed arrangement itself (Phipson & Smyth 2010), so none is 0.
 */
export function pairedPermutationTest(
  differences: readonly number[],
  draws: Draws,
  resamples = RESAMPLES,
): PermutationTest {
  const { length } = differences;
  const observed = Math.abs(sum(differences)) - ROUNDING * sum(differences.map(Math.abs));
  const arrangements = 2 ** length;
  const exact = arrangements <= EXACT_ARRANGEMENTS;
  const total = exact ? arrangements : resamples;
  let extreme = 0;
  for (let at = 0; at < total; at += 1) {
    let signed = 0;
    for (let place = 0; place < length; place += 1) {
      const negative = exact ? (at >>> place) & 1 : draws(at * length + place) < 0.5;
      signed += negative ? -(differences[place] ?? 0) : (differences[place] ?? 0);
    }
    if (Math.abs(signed) >= observed) extreme += 1;
  }
  return {
    p: exact ? extreme / total : (extreme + 1) / (total + 1),
    exact,
    smallest: exact ? Math.min(1, 2 / arrangements) : 1 / (total + 1),
  };
}

/**
 * Two-sided permutation test that two independent samples are from one distribution, by the difference of their means:
 * under the null hypothesis any of the values could have been in either. Sources as for pairs.
 */
export function permutationTest(
  one: readonly number[],
  other: readonly number[],
  draws: Draws,
  resamples = RESAMPLES,
): PermutationTest {
  const values = [...one, ...other];
  const all = sum(values);
  // With the sizes given, the difference of the means depends on the first sample's sum alone.
  const expected = (all * one.length) / values.length;
  const observed = Math.abs(sum(one) - expected) - ROUNDING * sum(values.map(Math.abs));
  const arrangements = choose(values.length, one.length);
  const exact = arrangements <= EXACT_ARRANGEMENTS;
  let extreme = 0;
  const count = (total: number): void => {
    if (Math.abs(total - expected) >= observed) extreme += 1;
  };
  if (exact) {
    eachSubsetSum(values, one.length, count);
  } else {
    for (let at = 0; at < resamples; at += 1) count(sampledSum(values, one.length, draws, at));
  }
  return {
    p: exact ? extreme / arrangements : (extreme + 1) / (resamples + 1),
    exact,
    smallest: exact ? Math.min(1, (one.length === other.length ? 2 : 1) / arrangements) : 1 / (resamples + 1),
  };
}

/**
 * Standardised difference of two means, corrected for small samples: d · (1 − 3 / (4·df − 1)). Hedges, "Distribution
 * theory for Glass's estimator of effect size", J. Educational Statistics 6 (1981). Null if it is undefined: fewer than
 * two values in a sample, or a difference without any spread.
 */
export function hedgesG(one: readonly number[], other: readonly number[]): number | null {
  if (one.length < 2 || other.length < 2) return null;
  const freedom = one.length + other.length - 2;
  const squares = (one.length - 1) * sd(one) ** 2 + (other.length - 1) * sd(other) ** 2;
  const pooled = Math.sqrt(squares / freedom);
  const difference = mean(one) - mean(other);
  if (pooled === 0) return difference === 0 ? 0 : null;
  return (difference / pooled) * (1 - 3 / (4 * freedom - 1));
}

/**
 * Probability that a value of `one` is above a value of `other`, minus the probability that it is below: −1 to 1.
 * Cliff, "Dominance statistics", Psychological Bulletin 114 (1993). NaN if a sample is empty.
 */
export function cliffsDelta(one: readonly number[], other: readonly number[]): number {
  const dominances = one.flatMap((value) => other.map((against) => Math.sign(value - against)));
  return mean(dominances);
}

/** The differences of pairs, in the unit of the values. */
export function pairedDifferences(one: readonly number[], other: readonly number[]): number[] {
  if (one.length !== other.length) {
    throw new RangeError(
      `Pairs need two equal samples, but there are ${one.length} and ${other.length} values.`,
    );
  }
  return one.map((value, place) => value - (other[place] ?? Number.NaN));
}

/**
 * p-values adjusted so that the chance of any false rejection among all of them stays at the level that each is
 * compared with; in the order given. Holm, "A simple sequentially rejective multiple test procedure", Scand. J.
 * Statistics 6 (1979).
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((p, place) => ({ p, place })).sort((one, other) => one.p - other.p);
  const adjusted: number[] = Array.from({ length: ps.length }, () => 1);
  let floor = 0;
  for (const [rank, { p, place }] of order.entries()) {
    floor = Math.max(floor, Math.min(1, (ps.length - rank) * p));
    adjusted[place] = floor;
  }
  return adjusted;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Binomial coefficient; large ones are rounded. */
function choose(of: number, taken: number): number {
  let ways = 1;
  for (let at = 1; at <= taken; at += 1) ways = (ways * (of - taken + at)) / at;
  return Math.round(ways);
}

/** Visits the sum of each way to take this many of the values. */
function eachSubsetSum(values: readonly number[], taken: number, visit: (total: number) => void): void {
  const from = (start: number, left: number, total: number): void => {
    if (left === 0) {
      visit(total);
      return;
    }
    for (let at = start; at <= values.length - left; at += 1)
      from(at + 1, left - 1, total + (values[at] ?? 0));
  };
  from(0, taken, 0);
}

/** The sum of this many randomly taken values: the first steps of a Fisher–Yates shuffle. */
function sampledSum(values: readonly number[], taken: number, draws: Draws, at: number): number {
  const left = [...values];
  let total = 0;
  for (let place = 0; place < taken; place += 1) {
    const chosen = place + Math.floor(draws(at * taken + place) * (left.length - place));
    const value = left[chosen] ?? 0;
    left[chosen] = left[place] ?? 0;
    left[place] = value;
    total += value;
  }
  return total;
}
