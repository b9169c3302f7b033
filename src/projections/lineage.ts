import type { Mutation } from '../events/evolution.ts';
import type { Genome } from '../events/values.ts';
import { idOf, type Projection } from './projection.ts';

/** One life: where it came from, how fit it was found, and what ended it. */
export interface LineageRow {
  readonly node: string;
  readonly parents: readonly string[];
  readonly cause: string;
  readonly species: string;
  readonly generation: number;
  readonly genome: Genome;
  readonly mutations: readonly Mutation[];
  /** Cluster in which it was born, and where it is now or was last. */
  readonly bornIn: string;
  readonly cluster: string;
  readonly bornAt: string;
  /** Position of its birth: lives are ordered by it. */
  readonly bornPosition: number;
  /** When selection ended it, or null while it lives. */
  readonly endedAt: string | null;
  /** The rule that ended it, with its rank. */
  readonly end: {
    readonly rule: string;
    readonly rank: number;
    readonly of: number;
    readonly fitness: number;
    readonly generation: number;
  } | null;
  /** Fitness at each judgement, oldest first; null while it was on trial. */
  readonly fitness: readonly LifeFitness[];
  readonly offspring: number;
}

export interface LifeFitness {
  readonly cluster: string;
  readonly generation: number;
  readonly rank: number;
  readonly of: number;
  readonly judged: number;
  readonly right: number;
  readonly fitness: number | null;
  readonly score: number | null;
}

/** Judgements of one life that a row keeps: the newest. */
const KEPT_JUDGEMENTS = 200;

/** Every life that there was, under `node/<id>`; rows of the dead stay. */
export const lineage: Projection<LineageRow, 'NodeBorn' | 'NodeMoved' | 'NodeCulled' | 'FitnessEvaluated'> = {
  name: 'lineage',
  version: 1,
  resident: true,
  types: ['NodeBorn', 'NodeMoved', 'NodeCulled', 'FitnessEvaluated'],
  keys(event) {
    switch (event.type) {
      case 'NodeBorn':
        return [event.data.node, ...event.data.parents].map(keyOf);
      case 'NodeMoved':
      case 'NodeCulled':
        return [keyOf(idOf(event.stream, 'node'))];
      case 'FitnessEvaluated':
        return event.data.ranking.map(({ node }) => keyOf(node));
    }
  },
  fold(row, event, key) {
    if (event.type === 'NodeBorn' && key === keyOf(event.data.node)) {
      const { node, parents, cause, species, generation, genome, mutations, cluster, at } = event.data;
      return {
        node,
        parents,
        cause,
        species,
        generation,
        genome,
        mutations,
        bornIn: cluster,
        cluster,
        bornAt: at,
        bornPosition: event.position,
        endedAt: null,
        end: null,
        fitness: [],
        offspring: 0,
      };
    }
    if (!row) return undefined;
    switch (event.type) {
      case 'NodeBorn':
        return { ...row, offspring: row.offspring + 1 };
      case 'NodeMoved':
        return { ...row, cluster: event.data.to };
      case 'NodeCulled': {
        const { rule, rank, of, fitness, generation, at } = event.data;
        return { ...row, endedAt: at, end: { rule, rank, of, fitness, generation } };
      }
      case 'FitnessEvaluated': {
        const { cluster, generation, ranking } = event.data;
        const place = ranking.findIndex(({ node }) => node === row.node);
        const found = ranking[place];
        if (!found) return row;
        const { judged, right, fitness, score } = found;
        const of = ranking.filter((other) => other.fitness !== null).length;
        const judgement = { cluster, generation, rank: place + 1, of, judged, right, fitness, score };
        return { ...row, fitness: [...row.fitness.slice(1 - KEPT_JUDGEMENTS), judgement] };
      }
    }
  },
};

function keyOf(node: string): string {
  return `node/${node}`;
}
