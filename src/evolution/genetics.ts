import {
  type EvolutionRates,
  type EvolutionSettings,
  type GenePool,
  type Mutation,
  type MutationKind,
  type Strategy,
  Tier,
} from '../events/evolution.ts';
import type { Genome, SamplingParams } from '../events/values.ts';

export interface Parent {
  readonly node: string;
  readonly genome: Genome;
  readonly species: string;
}

export interface Bred {
  readonly genome: Genome;
  readonly species: string;
  /** For a crossover, the parent that gave the specialization comes first. */
  readonly parents: readonly string[];
  readonly cause: 'mutation' | 'crossover' | 'immigration';
  readonly mutations: readonly Mutation[];
  /** The draws that were used, in order. */
  readonly draws: readonly number[];
}

interface Mutated {
  readonly genome: Genome;
  /** Empty if the pool has no alternative. */
  readonly mutations: readonly Mutation[];
}

export interface Breeding {
  readonly strategy: Strategy;
  /** The elites, best first. */
  readonly parents: readonly Parent[];
  readonly settings: EvolutionSettings;
  readonly rates: EvolutionRates;
  /** The tier of the device. Null: only models that run on every tier. */
  readonly tier: Tier | null;
  /** Index of the offspring within its generation: the elites take turns. */
  readonly index: number;
  readonly draw: Draw;
}

/** A number in [0, 1) for a purpose. The same purpose gives the same number. */
export type Draw = (purpose: string) => number;

/** No two models of the gene pool run on a device, so no genome can be made for it. */
export class GenePoolError extends Error {
  override readonly name = 'GenePoolError';
  readonly tier: Tier | null;

  constructor(tier: Tier | null) {
    const device = tier === null ? 'a device without a tier' : `a device of tier ${tier}`;
    super(
      `The gene pool has no two models that ${device} carries, so nothing was bred for it. ` +
        'Add models for that tier to the gene pool, or lend no slots on such devices.',
    );
    this.tier = tier;
  }
}

/** Relative frequency with which a mutation changes each parameter: temperature most often. */
const PARAMETER_WEIGHTS = { temperature: 4, topP: 2, topK: 2, contextTokens: 1 } as const;
type Parameter = keyof typeof PARAMETER_WEIGHTS;

/**
 * Relative frequency of each kind of mutation. The founding document calls changes of specialization the most
 * common; the ratios are ours.
 */
const KIND_WEIGHTS: Readonly<Record<MutationKind, number>> = {
  specialization: 4,
  parameters: 3,
  prompt: 2,
  model: 2,
};

const TEMPERATURE_STEP = 0.1;
const TEMPERATURE_RANGE: Range = [0, 2];
const TOP_P_STEP = 0.05;
const TOP_P_RANGE: Range = [0.01, 1];
const TOP_K_LADDER = [1, 5, 10, 20, 40, 80, 160];

/** Random genomes start in the same range as the first species, 0–1. Selection may lead beyond it. */
const RANDOM_TEMPERATURES = 11;
const LEAST_RANDOM_TOP_P = 0.5;
const RANDOM_TOP_PS = 11;

const IMMIGRANT = 'immigrant';

const PROMPT_PARTS = ['system', 'user'] as const;

/** The longest text of a template that a `Mutation` records, in characters. */
const MAX_RECORDED = 4096;

type Range = readonly [least: number, most: number];

/**
 * The two offspring of the founding document: [A.modelA, B.modelA] with A's specialization, and [B.modelA,
 * A.modelB] with B's. Temperature, topP and topK are the parents' means. Prompts and window sizes come with the
 * specialization. If a pair would have one model twice, its second model is another model of the parents, first
 * of the parent that gives the second model.
 */
export function crossover(a: Genome, b: Genome): readonly [Genome, Genome] {
  const between = (first: number, second: number, decimals: number) =>
    first === second ? first : rounded((first + second) / 2, decimals);
  const sampling = {
    temperature: between(a.samplingParams.temperature, b.samplingParams.temperature, 2),
    topP: Math.max(TOP_P_RANGE[0], between(a.samplingParams.topP, b.samplingParams.topP, 2)),
    topK: between(a.samplingParams.topK, b.samplingParams.topK, 0),
  };
  const child = (giver: Genome, modelA: string, seconds: readonly string[]): Genome => ({
    modelA,
    modelB: seconds.find((model) => model !== modelA) ?? modelA,
    specialization: giver.specialization,
    promptTemplates: giver.promptTemplates,
    samplingParams: { ...giver.samplingParams, ...sampling },
  });
  return [
    child(a, a.modelA, [b.modelA, b.modelB, a.modelB]),
    child(b, b.modelA, [a.modelB, a.modelA, b.modelB]),
  ];
}

/** Whether two models of the pool run on a device of this tier, so that a genome can be made for it. */
export function carriesPair(pool: GenePool, tier: Tier | null): boolean {
  return carried(pool, tier).length >= 2;
}

/** A genome that inherits nothing. Throws `GenePoolError` if no two models of the pool run on the tier. */
export function randomGenome(pool: GenePool, tier: Tier | null, draw: Draw): Genome {
  const models = carried(pool, tier);
  const modelA = pick(models, draw('modelA'));
  const others = models.filter((model) => model !== modelA);
  if (modelA === undefined || others.length === 0) throw new GenePoolError(tier);
  return {
    modelA,
    modelB: pick(others, draw('modelB')) ?? modelA,
    // The schema of the pool requires at least one of each. The fallbacks are only for the compiler.
    specialization: pick(pool.specializations, draw('specialization')) ?? 'general',
    promptTemplates: pick(pool.promptTemplates, draw('prompt')) ?? { system: '', user: '{question}' },
    samplingParams: {
      temperature: rounded(Math.floor(draw('temperature') * RANDOM_TEMPERATURES) * TEMPERATURE_STEP, 2),
      topP: rounded(LEAST_RANDOM_TOP_P + Math.floor(draw('topP') * RANDOM_TOP_PS) * TOP_P_STEP, 2),
      topK: pick(TOP_K_LADDER, draw('topK')) ?? 1,
      contextTokens: pick(pool.contextTokens, draw('contextTokens')) ?? 64,
      maxTokens: pool.maxTokens,
    },
  };
}

/**
 * Breeds one offspring for a slot. With `evolution`, a draw decides by the mode's rates between a random
 * genome, a crossover of the elite whose turn it is with another elite, and a mutation of that elite. A
 * mutation offspring has as many mutations as the mode says, a crossover offspring from none to the most. No
 * field changes twice, so no mutation is undone. If settings and pool leave nothing to change, the offspring is
 * a copy. Models that do not run on the slot's device are replaced, which is also recorded as a mutation. The
 * controls breed only random genomes. Throws `GenePoolError` if `carriesPair` is false.
 */
export function breed(options: Breeding): Bred {
  const { settings, tier } = options;
  const draws: number[] = [];
  const draw: Draw = (purpose) => {
    const drawn = options.draw(purpose);
    draws.push(drawn);
    return drawn;
  };
  const conceived = conceive(options, draw);
  if (conceived === null) {
    const genome = randomGenome(settings.genePool, tier, under(draw, 'immigrant'));
    return { genome, species: IMMIGRANT, parents: [], cause: 'immigration', mutations: [], draws };
  }
  const { least, most, ...origin } = conceived;
  const fitting = fitDevice(origin.genome, settings.genePool, tier, draw);
  const count = least + Math.floor(draw('mutations') * (most - least + 1));
  const mutated = mutateTimes(fitting, count, options, draw);
  return { ...origin, ...mutated, draws };
}

interface Conceived extends Pick<Bred, 'genome' | 'species' | 'parents' | 'cause'> {
  readonly least: number;
  readonly most: number;
}

/** What an offspring inherits, and how many mutations it may have. Null for a random genome. */
function conceive({ strategy, parents, settings, rates, index }: Breeding, draw: Draw): Conceived | null {
  const parent = parents[index % parents.length];
  if (strategy !== 'evolution' || parent === undefined) return null;
  const [least, most] = rates.mutations;
  const drawn = draw('cause');
  if (drawn < rates.immigration) return null;
  const mates = parents.filter(({ node }) => node !== parent.node);
  if (settings.crossover && mates.length > 0 && drawn < rates.immigration + rates.crossover) {
    const mate = pick(mates, draw('mate')) ?? parent;
    const [first, second] = crossover(parent.genome, mate.genome);
    const [genome, giver, other] = draw('offspring') < 0.5 ? [first, parent, mate] : [second, mate, parent];
    const parentsOf = [giver.node, other.node];
    return { genome, species: giver.species, parents: parentsOf, cause: 'crossover', least: 0, most };
  }
  const { genome, species, node } = parent;
  return { genome, species, parents: [node], cause: 'mutation', least, most };
}

function mutateTimes(start: Mutated, count: number, { settings, tier }: Breeding, draw: Draw): Mutated {
  const settled = new Set(start.mutations.map(({ field }) => field));
  let { genome } = start;
  const mutations = [...start.mutations];
  const kinds = new Set(settings.mutations);
  for (let turn = 1; turn <= count && kinds.size > 0; ) {
    const drawing = under(draw, `mutation-${turn}`);
    const kind = pickWeighted([...kinds], (one) => KIND_WEIGHTS[one], drawing(`kind-of-${kinds.size}`));
    const mutated = change(genome, kind, settings.genePool, tier, drawing, settled);
    if (mutated.mutations.length === 0) {
      kinds.delete(kind); // this kind has nothing left to change
      continue;
    }
    genome = mutated.genome;
    mutations.push(...mutated.mutations);
    for (const { field } of mutated.mutations) settled.add(field);
    turn += 1;
  }
  return { genome, mutations };
}

/**
 * One mutation, which changes no settled field. A `prompt` mutation may change two fields, all others change
 * one.
 */
function change(
  genome: Genome,
  kind: MutationKind,
  pool: GenePool,
  tier: Tier | null,
  draw: Draw,
  settled: ReadonlySet<string>,
): Mutated {
  const unchanged: Mutated = { genome, mutations: [] };
  switch (kind) {
    case 'specialization': {
      const others = pool.specializations.filter((one) => one !== genome.specialization);
      if (settled.has('specialization') || others.length === 0) return unchanged;
      const specialization = pick(others, draw('specialization')) ?? genome.specialization;
      const mutation: Mutation = {
        kind,
        field: 'specialization',
        from: genome.specialization,
        to: specialization,
      };
      return { genome: { ...genome, specialization }, mutations: [mutation] };
    }
    case 'parameters':
      return changeParameter(genome, pool, draw, settled);
    case 'prompt':
      return changePrompt(genome, pool, draw, settled);
    case 'model': {
      const halves = (['modelA', 'modelB'] as const).filter((half) => !settled.has(half));
      const able = halves.filter((half) => otherModels(genome, half, pool, tier).length > 0);
      const half = able.length > 1 ? pick(able, draw('half')) : able[0];
      return half === undefined ? unchanged : swapModel(genome, half, pool, tier, draw);
    }
  }
}

function changeParameter(genome: Genome, pool: GenePool, draw: Draw, settled: ReadonlySet<string>): Mutated {
  const { temperature, topP, topK, contextTokens } = genome.samplingParams;
  // topK 0 means no limit, which is above every step of the ladder.
  const rung = topK === 0 ? Number.POSITIVE_INFINITY : topK;
  const moves: Readonly<Record<Parameter, readonly number[]>> = {
    temperature: steps(temperature, TEMPERATURE_STEP, TEMPERATURE_RANGE),
    topP: steps(topP, TOP_P_STEP, TOP_P_RANGE),
    topK: neighbours(rung, TOP_K_LADDER),
    contextTokens: neighbours(contextTokens, pool.contextTokens),
  };
  const movable = (Object.keys(moves) as Parameter[]) // Object.keys loses the type of the keys
    .filter((name) => moves[name].length > 0 && !settled.has(`samplingParams.${name}`));
  if (movable.length === 0) return { genome, mutations: [] };
  const name = pickWeighted(movable, (one) => PARAMETER_WEIGHTS[one], draw('parameter'));
  const from = genome.samplingParams[name];
  const to = pick(moves[name], draw('direction')) ?? from;
  const samplingParams: SamplingParams = { ...genome.samplingParams, [name]: to };
  const mutation: Mutation = { kind: 'parameters', field: `samplingParams.${name}`, from, to };
  return { genome: { ...genome, samplingParams }, mutations: [mutation] };
}

function changePrompt(genome: Genome, pool: GenePool, draw: Draw, settled: ReadonlySet<string>): Mutated {
  const { promptTemplates: old } = genome;
  const others = pool.promptTemplates.filter(
    ({ system, user }) => system !== old.system || user !== old.user,
  );
  const changed = PROMPT_PARTS.some((part) => settled.has(`promptTemplates.${part}`));
  const promptTemplates = changed || others.length === 0 ? undefined : pick(others, draw('prompt'));
  if (promptTemplates === undefined) return { genome, mutations: [] };
  const mutations = PROMPT_PARTS.filter((part) => promptTemplates[part] !== old[part]).map(
    (part): Mutation => {
      const [from, to] = [old[part].slice(0, MAX_RECORDED), promptTemplates[part].slice(0, MAX_RECORDED)];
      return { kind: 'prompt', field: `promptTemplates.${part}`, from, to };
    },
  );
  return { genome: { ...genome, promptTemplates }, mutations };
}

/** Replaces models that do not run on the device, and a model that is in the pair twice. */
function fitDevice(genome: Genome, pool: GenePool, tier: Tier | null, draw: Draw): Mutated {
  if (!carriesPair(pool, tier)) throw new GenePoolError(tier);
  const models = carried(pool, tier);
  let fitted: Mutated = { genome, mutations: [] };
  for (const half of ['modelA', 'modelB'] as const) {
    const { modelA, modelB } = fitted.genome;
    const twice = half === 'modelB' && modelA === modelB;
    if (models.includes(fitted.genome[half]) && !twice) continue;
    const swapped = swapModel(fitted.genome, half, pool, tier, under(draw, `fit-${half}`));
    fitted = { genome: swapped.genome, mutations: [...fitted.mutations, ...swapped.mutations] };
  }
  return fitted;
}

function swapModel(
  genome: Genome,
  half: 'modelA' | 'modelB',
  pool: GenePool,
  tier: Tier | null,
  draw: Draw,
): Mutated {
  const to = pick(otherModels(genome, half, pool, tier), draw('model'));
  if (to === undefined) return { genome, mutations: [] };
  const mutation: Mutation = { kind: 'model', field: half, from: genome[half], to };
  return { genome: { ...genome, [half]: to }, mutations: [mutation] };
}

/** The models that could replace this half of the pair. */
function otherModels(genome: Genome, half: 'modelA' | 'modelB', pool: GenePool, tier: Tier | null): string[] {
  const partner = half === 'modelA' ? genome.modelB : genome.modelA;
  return carried(pool, tier).filter((model) => model !== genome[half] && model !== partner);
}

function carried(pool: GenePool, tier: Tier | null): string[] {
  const needed = tier === null ? Tier.options : [tier];
  return pool.models.filter(({ tiers }) => needed.every((one) => tiers.includes(one))).map(({ id }) => id);
}

/** One step down and one up, as far as they are in the range. */
function steps(value: number, step: number, [least, most]: Range): number[] {
  return [rounded(value - step, 2), rounded(value + step, 2)].filter((to) => to >= least && to <= most);
}

/** The next smaller and the next larger value of the ladder. */
function neighbours(value: number, ladder: readonly number[]): number[] {
  const below = ladder.filter((rung) => rung < value);
  const above = ladder.filter((rung) => rung > value);
  return [
    ...(below.length > 0 ? [Math.max(...below)] : []),
    ...(above.length > 0 ? [Math.min(...above)] : []),
  ];
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

/** Draws for one part of the work, separate from those for any other part. */
function under(draw: Draw, part: string): Draw {
  return (purpose) => draw(`${part}/${purpose}`);
}

function pick<T>(list: readonly T[], drawn: number): T | undefined {
  return list[Math.floor(drawn * list.length)];
}

function pickWeighted<T>(list: readonly T[], weight: (one: T) => number, drawn: number): T {
  let left = drawn * list.reduce((sum, one) => sum + weight(one), 0);
  for (const one of list) {
    left -= weight(one);
    if (left < 0) return one;
  }
  const last = list.at(-1);
  if (last === undefined) throw new RangeError('There is nothing to pick from.');
  return last;
}
