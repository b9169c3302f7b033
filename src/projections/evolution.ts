import { z } from 'zod';
import { ClusterKind, EvolutionMode, EvolutionSettings } from '../events/evolution.ts';
import { generationId } from '../events/generation.ts';
import type { Parsed } from '../events/values.ts';
import { fitness } from './fitness.ts';
import { founders, rightAnswersByFounder } from './founders.ts';
import { generations } from './generations.ts';
import { type ClusterRow, network } from './network.ts';
import { idOf, type Projection, type Recorded, type Rows, update } from './projection.ts';
import { page, paged, pageOf, type RowReader, read } from './read.ts';
import { emergentSpecialization } from './specialization.ts';

/** The rules of evolution, and the state of the network. */
export interface EvolutionStateRow {
  readonly kind: 'state';
  /** Null before evolution was configured. */
  readonly settings: EvolutionSettings | null;
  readonly mode: EvolutionMode;
  /** The last measurement of the network's fitness, 0–1; null before the first. */
  readonly score: number | null;
  readonly measured: number;
  readonly modeChanges: number;
}

/** One generation of one Cluster. */
export interface GenerationRow {
  readonly kind: 'generation';
  readonly cluster: string;
  readonly generation: number;
  readonly mode: EvolutionMode;
  readonly begunAt: string;
  readonly completedAt: string | null;
  readonly members: number;
  readonly judged: number;
  /** Mean score of the judged members, 0–1; null if none was judged. */
  readonly meanScore: number | null;
  readonly bestScore: number | null;
  readonly culled: number;
  readonly born: number;
}

export type EvolutionRow = EvolutionStateRow | GenerationRow;

export const EVOLUTION_STATE = 'state';

/** The state before evolution was configured. */
const NEW_STATE: EvolutionStateRow = {
  kind: 'state',
  settings: null,
  mode: 'normal',
  score: null,
  measured: 0,
  modeChanges: 0,
};

const Specialization = z.object({
  mutualInformation: z.number().describe('Between founder and task type over right answers, in bits'),
  normalised: z.number().describe('As a share of its maximum, 0–1'),
  expectedByChance: z.number().describe('Expected by chance from this number of answers, in bits'),
  rightAnswers: z.int().describe('Right answers of living Nodes, judged by computation or gold'),
});

const Cluster = z.object({
  cluster: z.string(),
  name: z.string(),
  kind: ClusterKind,
  generation: z.int().describe('Completed generations'),
  members: z.int(),
  last: z
    .object({
      generation: z.int(),
      judged: z.int(),
      meanScore: z.number().nullable(),
      bestScore: z.number().nullable(),
      culled: z.int(),
      born: z.int(),
      completedAt: z.string().nullable(),
    })
    .nullable()
    .describe('Its last generation, which may not be completed; null before the first'),
  culled: z.int().describe('In all generations'),
  born: z.int().describe('Offspring of its Nodes in all generations, in any Cluster'),
});

const evolutionRead = read({
  name: 'evolution',
  description: 'The state of evolution: mode, fitness, settings, generations of the Clusters, specialization',
  input: page,
  output: {
    mode: EvolutionMode.describe('How hard evolution presses'),
    score: z
      .number()
      .nullable()
      .describe('The last measurement of the network’s fitness, 0–1; null before the first'),
    measured: z.int().describe('How often it was measured'),
    settings: EvolutionSettings.nullable().describe('Null in a network without evolution'),
    specialization: Specialization.describe('Emergent specialization'),
    clusters: z.array(Cluster),
    ...paged,
  },
  answer({ after, limit }, reader) {
    const { mode, score, measured, settings } = evolutionState(reader);
    const { rows, next } = pageOf(clustersOf(reader, after), limit);
    const clusters = rows.map(([, row]) => clusterOf(row, reader));
    return { mode, score, measured, settings, specialization: specializationOf(reader), clusters, next };
  },
});
export const EvolutionOutput = evolutionRead.output;
export type EvolutionOutput = Parsed<typeof EvolutionOutput>;

/** Rows `state` and `generation/<cluster>-<n>`. */
export const evolution: Projection<EvolutionRow> = {
  name: 'evolution',
  version: 1,
  on: {
    EvolutionConfigured: ofState((row, { data: { settings } }) => ({ ...row, settings })),
    NetworkFitnessMeasured: ofState((row, { data: { score } }) => ({
      ...row,
      score,
      measured: row.measured + 1,
    })),
    EvolutionModeChanged: ofState((row, { data: { to: mode } }) => ({
      ...row,
      mode,
      modeChanges: row.modeChanges + 1,
    })),
    GenerationBegun({ stream, data }, rows) {
      const { cluster, generation, mode, members, at } = data;
      rows.set(keyOf(stream), {
        kind: 'generation',
        cluster,
        generation,
        mode,
        begunAt: at,
        completedAt: null,
        members: members.length,
        judged: 0,
        meanScore: null,
        bestScore: null,
        culled: 0,
        born: 0,
      });
    },
    FitnessEvaluated({ stream, data: { ranking } }, rows) {
      const scores = ranking.flatMap(({ score }) => (score === null ? [] : [score]));
      if (scores.length === 0) return;
      const meanScore = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      update(rows, keyOf(stream), (row) => ({
        ...row,
        judged: scores.length,
        meanScore,
        bestScore: Math.max(...scores),
      }));
    },
    GenerationCompleted({ stream, data: { culled, born, at: completedAt } }, rows) {
      update(rows, keyOf(stream), (row) => ({ ...row, culled, born, completedAt }));
    },
  },
  isFollowed: true,
  tables: { evolution: '' },
  reads: [evolutionRead],
};

/** The rules of evolution, and the state of the network. */
export function evolutionState(reader: RowReader): EvolutionStateRow {
  return stateOr(reader.row(evolution, EVOLUTION_STATE));
}

function ofState<Event extends Recorded>(
  change: (row: EvolutionStateRow, event: Event) => EvolutionStateRow,
) {
  return (event: Event, rows: Rows<EvolutionRow>): void => {
    rows.set(EVOLUTION_STATE, change(stateOr(rows.get(EVOLUTION_STATE)), event));
  };
}

function stateOr(row: EvolutionRow | undefined): EvolutionStateRow {
  return row?.kind === 'state' ? row : NEW_STATE;
}

/** Key of the generation with this stream. */
function keyOf(stream: string): string {
  return `generation/${idOf(stream, 'generation')}`;
}

function* clustersOf(
  reader: RowReader,
  after: string | undefined,
): Generator<readonly [key: string, row: ClusterRow]> {
  for (const [key, row] of reader.rows(network, { prefix: 'cluster/', after, present: true })) {
    if (row.kind === 'cluster' && row.status === 'formed') yield [key, row];
  }
}

function clusterOf(
  { id, name, nature, generation, members }: ClusterRow,
  reader: RowReader,
): z.infer<typeof Cluster> {
  const row = reader.row(generations, `cluster/${id}`);
  const all = row?.kind === 'cluster' ? row : { last: null, culled: 0, born: 0 };
  return {
    cluster: id,
    name,
    kind: nature,
    generation,
    members: members.length,
    last: all.last === null ? null : lastOf(id, all.last, reader),
    culled: all.culled,
    born: all.born,
  };
}

function lastOf(cluster: string, number: number, reader: RowReader): z.infer<typeof Cluster>['last'] {
  const row = reader.row(evolution, `generation/${generationId(cluster, number)}`);
  if (row?.kind !== 'generation') return null;
  const { generation, judged, meanScore, bestScore, culled, born, completedAt } = row;
  return { generation, judged, meanScore, bestScore, culled, born, completedAt };
}

/** Whether lineages have specialized, from the right answers of the living Nodes. */
function specializationOf(reader: RowReader): z.infer<typeof Specialization> {
  const living = [];
  for (const [key, row] of reader.rows(network, { prefix: 'node/', present: true })) {
    if (row.kind === 'node' && row.status === 'alive')
      living.push({ id: row.id, fitness: reader.row(fitness, key) });
  }
  const counts = rightAnswersByFounder(living, { get: (key) => reader.row(founders, key) });
  const rightAnswers = [...counts.values()].reduce(
    (sum, types) => Object.values(types).reduce((total, count) => total + count, sum),
    0,
  );
  return { ...emergentSpecialization(counts), rightAnswers };
}
