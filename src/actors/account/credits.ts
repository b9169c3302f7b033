import type { Complexity } from '../../events/values.ts';

/** All amounts are integers of this unit. 1 credit = 1,000,000 units. */
export const UNITS_PER_CREDIT = 1_000_000;

/** Grant to a new account, in units. */
export const STARTING_GRANT = 100 * UNITS_PER_CREDIT;

/** How often the contributor earned lately; see `regularityOf`. */
export type Regularity = 'regular' | 'sporadic' | 'none';

/** What a Node did for one task. */
export interface Work {
  readonly complexity: Complexity;
  /** 0 (incorrect) to 1 (correct). */
  readonly correctness: number;
  readonly responseMs: number;
  /**
   * Answers within this time count as fast. In milliseconds, above 0. See `responseTargetMs` in
   * `src/answers/task-types.ts`.
   */
  readonly targetMs: number;
}

/** The record of a contributor; see the multiplier functions below. */
export interface Standing {
  readonly regularity: Regularity;
  /** Share of right answers; null without a history. */
  readonly accuracy: number | null;
  /** Share of its tasks that the Node answered in time, 0–1; null without a history. */
  readonly uptime: number | null;
}

export interface Earning {
  /** Units to be credited. */
  readonly earned: number;
  /** Units to be taken away. The account takes at most what it has available. */
  readonly penalty: number;
}

/** Price of a query per unit of compute, in credits (founding document: simple 0.5, medium 2, complex 5–10). */
const QUERY_PRICE: Readonly<Record<Complexity, number>> = { simple: 0.5, medium: 2, complex: 5 };

/** Task_Complexity in the earning formula, in credits (founding document: simple 1, complex 5; medium is ours). */
const TASK_REWARD: Readonly<Record<Complexity, number>> = { simple: 1, medium: 2, complex: 5 };

/** Share of a task's full reward that an incorrect answer costs. */
const PENALTY_SHARE = 0.5;

/** Numbers of subtasks at which a complex query has its lowest and its highest price. */
const FEWEST_SUBTASKS = 3;
const MOST_SUBTASKS = 8;

const REGULAR_ACTIVE_DAYS = 5;

/**
 * Least uptime that counts as around the clock, and least uptime that counts as regular hours (8 am to 8 pm is
 * half of the day).
 */
const AROUND_THE_CLOCK = 0.95;
const REGULAR_HOURS = 0.5;

/**
 * The price of a query in units: complexity × compute, times 1.5 for accounts that contribute nothing.
 * `computeShare` (0–1, see `computeShareOf`) moves the price of a complex query from 5 to 10 credits. The
 * others have one price.
 */
export function priceOf(complexity: Complexity, computeShare: number, regularity: Regularity): number {
  const compute = complexity === 'complex' ? 1 + clamp(computeShare, 0, 1) : 1;
  return toUnits(QUERY_PRICE[complexity] * compute * (regularity === 'none' ? 1.5 : 1));
}

/** The compute of a plan on a scale from 0 (up to 3 subtasks) to 1 (8 or more). */
export function computeShareOf(subtasks: number): number {
  return clamp((subtasks - FEWEST_SUBTASKS) / (MOST_SUBTASKS - FEWEST_SUBTASKS), 0, 1);
}

/**
 * Task_Complexity × (Correctness / Response_Time) × the multipliers of the contributor, in units. Response time
 * is measured in targets and is at least one, so answers faster than the target earn no more. An incorrect
 * answer earns nothing and costs half of the task's reward, whatever the contributor's record.
 */
export function earningFor(work: Work, standing?: Standing): Earning {
  const reward = TASK_REWARD[work.complexity];
  const correctness = clamp(work.correctness, 0, 1);
  if (correctness === 0) return { earned: 0, penalty: toUnits(reward * PENALTY_SHARE) };
  const responseTargets = Math.max(1, work.responseMs / work.targetMs);
  const thousandths = standing ? standingThousandths(standing) : 1000;
  return { earned: toUnits((reward * (correctness / responseTargets) * thousandths) / 1000), penalty: 0 };
}

/** From the active days out of the last seven: none, sporadic (1 to 4) or regular (5 or more). */
export function regularityOf(activeDays: number): Regularity {
  if (activeDays >= REGULAR_ACTIVE_DAYS) return 'regular';
  return activeDays > 0 ? 'sporadic' : 'none';
}

export function contributionMultiplier(regularity: Regularity): number {
  return regularity === 'regular' ? 1.2 : 1.0;
}

/** Above 95 % right: 1.3. From 90 %: 1.1. From 80 %: 1.0. Below: 0.8. Without a history: 1.0. */
export function qualityMultiplier(accuracy: number | null): number {
  if (accuracy === null) return 1.0;
  if (accuracy > 0.95) return 1.3;
  if (accuracy >= 0.9) return 1.1;
  return accuracy < 0.8 ? 0.8 : 1.0;
}

/** Around the clock: 1.2. Regular hours: 1.0. Sporadic: 0.9. Without a history: 1.0. */
export function availabilityMultiplier(uptime: number | null): number {
  if (uptime === null) return 1.0;
  if (uptime >= AROUND_THE_CLOCK) return 1.2;
  return uptime >= REGULAR_HOURS ? 1.0 : 0.9;
}

/** `1500000` → `1.5`. */
export function formatCredits(units: number): string {
  if (!Number.isSafeInteger(units))
    throw new RangeError(`An amount is a whole number of units, not ${units}.`);
  const whole = Math.floor(Math.abs(units) / UNITS_PER_CREDIT);
  const fraction = String(Math.abs(units) % UNITS_PER_CREDIT)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${units < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** `1.5` → `1500000`. Throws `RangeError` for anything but a decimal number with at most six places. */
export function parseCredits(text: string): number {
  const match = /^(-?)(\d{1,10})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!match) {
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
    throw new RangeError(
      `${shown} is not an amount of credits. Write it like 12 or 0.5, with at most six decimals.`,
    );
  }
  const units = Number(match[2]) * UNITS_PER_CREDIT + Number((match[3] ?? '').padEnd(6, '0'));
  if (!Number.isSafeInteger(units))
    throw new RangeError(`${text.trim()} credits are more than can be counted.`);
  return match[1] === '-' && units !== 0 ? -units : units;
}

/** The only rounding rule: to the nearest unit, halves up. */
function toUnits(credits: number): number {
  return Math.floor(credits * UNITS_PER_CREDIT + 0.5);
}

/**
 * The product of the three multipliers in thousandths. It is computed with integers, so there is no rounding
 * error.
 */
function standingThousandths(standing: Standing): number {
  return [
    contributionMultiplier(standing.regularity),
    qualityMultiplier(standing.accuracy),
    availabilityMultiplier(standing.uptime),
  ].reduce((product, multiplier) => product * Math.round(multiplier * 10), 1);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
