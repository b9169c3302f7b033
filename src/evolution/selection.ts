import type { EvolutionSettings, NodeFitness } from '../events/evolution.ts';

export interface Selection {
  /** The Nodes that have offspring, best first. */
  readonly elites: readonly string[];
  readonly culled: readonly CulledRank[];
  /** Judged Nodes that continue without offspring. */
  readonly kept: readonly string[];
  readonly onTrial: readonly string[];
  /** Best first; Nodes on trial come last. */
  readonly ranked: readonly NodeFitness[];
  /** A sentence for people. */
  readonly rule: string;
  /** Number of offspring, if there is room for all of them. */
  readonly wanted: number;
  /** The draws that were used, in order. */
  readonly draws: readonly number[];
}

export interface CulledRank {
  readonly node: string;
  /** 1 for the best of the judged Nodes. */
  readonly rank: number;
  readonly fitness: number;
}

type Settings = Pick<EvolutionSettings, 'strategy' | 'cullShare' | 'eliteShare' | 'variants'>;

type Judged = NodeFitness & { readonly fitness: number };

/** With fewer Nodes, a fifth is less than one Node, so none is culled. */
const FEWEST_TO_CULL = 5;

const FEWEST_TO_BREED = 2;

/**
 * Decides which Nodes of a Cluster are culled, have offspring or continue. Nodes on trial always continue.
 *
 * Shares are rounded to whole Nodes, with at least one elite among two judged Nodes. With fewer than five
 * judged Nodes, none is culled. For equal fitness, more judged answers rank higher, then the lower id.
 * `draw(index)` in [0, 1) decides the number of variants of the elite at that index.
 *
 * `best-of-n` culls every judged Node, also the elites, which are only recorded. `static` culls none and wants
 * no offspring.
 */
export function select(
  fitness: readonly NodeFitness[],
  settings: Settings,
  draw: (index: number) => number,
): Selection {
  const judged = fitness.filter(isJudged).sort(byRank);
  const trial = fitness.filter((one) => !isJudged(one)).sort(byEvidence);
  const elites = judged.slice(0, eliteCount(judged.length, settings));
  const culled = judged.slice(judged.length - cullCount(judged.length, elites.length, settings));
  const out = new Set([...elites, ...culled]);
  const { wanted, draws } = offspringOf(elites.length, judged.length, settings, draw);
  return {
    elites: elites.map(({ node }) => node),
    culled: culled.map((one) => ({ node: one.node, rank: judged.indexOf(one) + 1, fitness: one.fitness })),
    kept: judged.filter((one) => !out.has(one)).map(({ node }) => node),
    onTrial: trial.map(({ node }) => node),
    ranked: [...judged, ...trial],
    rule: ruleOf(settings, judged.length, fitness.length, elites.length, culled.length),
    wanted,
    draws,
  };
}

function isJudged(one: NodeFitness): one is Judged {
  return one.fitness !== null;
}

function byRank(a: Judged, b: Judged): number {
  return b.fitness - a.fitness || byEvidence(a, b);
}

function byEvidence(a: NodeFitness, b: NodeFitness): number {
  return b.judged - a.judged || (a.node < b.node ? -1 : 1);
}

function eliteCount(judged: number, { eliteShare }: Settings): number {
  return Math.max(judged >= FEWEST_TO_BREED ? 1 : 0, Math.round(judged * eliteShare));
}

function cullCount(judged: number, elites: number, { strategy, cullShare }: Settings): number {
  switch (strategy) {
    case 'static':
      return 0;
    case 'best-of-n':
      return judged;
    case 'evolution':
    case 'random-search':
      return judged < FEWEST_TO_CULL ? 0 : Math.min(judged - elites, Math.round(judged * cullShare));
  }
}

function offspringOf(
  elites: number,
  judged: number,
  { strategy, variants: [least, most] }: Settings,
  draw: (index: number) => number,
): { wanted: number; draws: readonly number[] } {
  switch (strategy) {
    case 'static':
      return { wanted: 0, draws: [] };
    case 'best-of-n':
      return { wanted: judged, draws: [] };
    case 'evolution':
    case 'random-search': {
      const draws = Array.from({ length: elites }, (_, index) => draw(index));
      const variants = draws.map((drawn) => least + Math.floor(drawn * (most - least + 1)));
      return { wanted: variants.reduce((sum, count) => sum + count, 0), draws };
    }
  }
}

function ruleOf(settings: Settings, judged: number, all: number, elites: number, culled: number): string {
  const ranked = `ranked ${judged} of ${all} by fitness`;
  switch (settings.strategy) {
    case 'static':
      return `${ranked}: nobody is culled and nobody is born (strategy static)`;
    case 'best-of-n':
      return `${ranked}: all of them are replaced (strategy best-of-n)`;
    case 'evolution':
    case 'random-search': {
      const few = judged < FEWEST_TO_CULL ? `fewer than ${FEWEST_TO_CULL}, so nobody is culled` : null;
      const bottom = few ?? `the bottom ${percent(settings.cullShare)} are culled (${culled})`;
      return `${ranked}: ${bottom}, the top ${percent(settings.eliteShare)} have offspring (${elites})`;
    }
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
