import type { Mutation } from '../events/evolution.ts';
import type { Genome } from '../events/values.ts';
import { idOf, type Projection, update } from './projection.ts';

/** One life: its origin, its fitness, and its end. */
export interface LineageRow {
  readonly node: string;
  readonly parents: readonly string[];
  readonly cause: string;
  readonly species: string;
  readonly generation: number;
  readonly genome: Genome;
  readonly mutations: readonly Mutation[];
  /** The Cluster in which it was born, and its current or last one. */
  readonly bornIn: string;
  readonly cluster: string;
  readonly bornAt: string;
  /** Position of its birth. Lives are ordered by it. */
  readonly bornPosition: number;
  /** When it was culled; null while it lives. */
  readonly endedAt: string | null;
  /** The rule by which it was culled, with its rank. */
  readonly end: {
    readonly rule: string;
    readonly rank: number;
    readonly of: number;
    readonly fitness: number;
    readonly generation: number;
  } | null;
  /** Fitness in each selection, oldest first; null while it was on trial. */
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

/** Number of selections that a row keeps: the newest ones. */
const KEPT_JUDGEMENTS = 200;

/** All lives, under `node/<id>`. Rows of retired Nodes stay. */
export const lineage: Projection<LineageRow> = {
  name: 'lineage',
  version: 1,
  on: {
    NodeBorn({ data, position }, rows) {
      const { node, parents, cause, species, generation, genome, mutations, cluster, at } = data;
      rows.set(keyOf(node), {
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
        bornPosition: position,
        endedAt: null,
        end: null,
        fitness: [],
        offspring: 0,
      });
      for (const parent of parents)
        update(rows, keyOf(parent), (row) => ({ ...row, offspring: row.offspring + 1 }));
    },
    NodeMoved({ stream, data }, rows) {
      update(rows, keyOf(idOf(stream, 'node')), (row) => ({ ...row, cluster: data.to }));
    },
    NodeCulled({ stream, data }, rows) {
      const { rule, rank, of, fitness, generation, at } = data;
      update(rows, keyOf(idOf(stream, 'node')), (row) => ({
        ...row,
        endedAt: at,
        end: { rule, rank, of, fitness, generation },
      }));
    },
    FitnessEvaluated({ data: { cluster, generation, ranking } }, rows) {
      const of = ranking.filter(({ fitness }) => fitness !== null).length;
      for (const [place, { node, judged, right, fitness, score }] of ranking.entries()) {
        const judgement = { cluster, generation, rank: place + 1, of, judged, right, fitness, score };
        update(rows, keyOf(node), (row) => ({
          ...row,
          fitness: [...row.fitness.slice(1 - KEPT_JUDGEMENTS), judgement],
        }));
      }
    },
  },
  tables: { lineage: '' },
};

function keyOf(node: string): string {
  return `node/${node}`;
}
