import { generationId, type SelectionMade } from '../events/generation.ts';
import type { Genome } from '../events/values.ts';
import { type LifeFitness, type LineageRow, lineage } from '../projections/lineage.ts';
import type { Projection, Recorded, Rows } from '../projections/projection.ts';
import { recordedOf } from '../projections/recorded.ts';
import { type FoldOptions, foldTo } from './fold.ts';
import { MemoryModel } from './memory-model.ts';
import { nearNames } from './near.ts';
import type { FoldedEvent } from './progress.ts';

/** A Node's life, from the history. */
export interface Life {
  readonly node: string;
  readonly born: {
    readonly at: string;
    readonly position: number;
    readonly cause: string;
    readonly cluster: string;
    readonly generation: number;
    readonly species: string;
  };
  readonly genome: Genome;
  /** The first parent's genome was mutated, or crossed with the second's. */
  readonly parents: readonly Relative[];
  readonly mutations: LineageRow['mutations'];
  readonly moves: readonly {
    readonly at: string;
    readonly from: string;
    readonly to: string;
    readonly cause: string;
  }[];
  readonly cluster: string;
  readonly votes: {
    readonly cast: number;
    /** Tasks that it did not answer, and tasks that it refused. */
    readonly missed: number;
    readonly refused: number;
    readonly byType: readonly TypeRecord[];
  };
  /** Oldest first; the newest 200. */
  readonly judgements: readonly GenerationResult[];
  readonly end: (NonNullable<LineageRow['end']> & { readonly at: string }) | null;
  /** When its last task ended after culling; null before that. */
  readonly retiredAt: string | null;
  readonly offspring: readonly Relative[];
  /** The last event that was read. */
  readonly toldTo: FoldedEvent | null;
}

export interface Relative {
  readonly node: string;
  readonly cause: string | null;
  readonly generation: number | null;
  readonly alive: boolean;
}

/** Votes on one task type. Not every vote is judged; `right` and `wrong` count the judged ones. */
export interface TypeRecord {
  readonly taskType: string;
  readonly votes: number;
  readonly right: number;
  readonly wrong: number;
}

/** What selection made of it in one generation. */
export interface GenerationResult extends LifeFitness {
  readonly outcome: 'elite' | 'kept' | 'culled' | 'on-trial' | null;
  readonly rule: string | null;
}

type Lives = ReadonlyMap<string, LineageRow>;

interface LifeRecord {
  readonly moves: Life['moves'];
  readonly retiredAt: string | null;
  readonly missed: number;
  readonly refused: number;
  readonly byType: Readonly<Record<string, Omit<TypeRecord, 'taskType'>>>;
}

const NEW_RECORD: LifeRecord = { moves: [], retiredAt: null, missed: 0, refused: 0, byType: {} };

/** The history has no such Node. Nothing was changed. */
export class UnknownNodeError extends Error {
  override readonly name = 'UnknownNodeError';
  readonly near: readonly string[];
  constructor(node: string, label: string, near: readonly string[]) {
    const advice =
      near.length > 0
        ? `Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
        : '"dellm history at --end --show lineage" lists all Nodes.';
    super(`There is no Node "${node}" in ${label}. ${advice}`);
    this.near = near;
  }
}

/** The life of a Node up to the end of the history. Throws `UnknownNodeError`, and what `foldTo` throws. */
export async function lifeOf(
  node: string,
  options: Omit<FoldOptions, 'moment' | 'projections'>,
): Promise<Life> {
  const { source } = options;
  const { model, last } = await foldTo({ ...options, moment: { kind: 'end' }, projections: [lineage] });
  const lives = model.rows(lineage);
  const row = lifeIn(lives, node);
  if (!row) throw new UnknownNodeError(node, source.label, nearNames(node, names(lives)));
  const stream = `node-${node}`;
  const told = new MemoryModel([records, selections]);
  const streams = row.fitness.map(generationStream);
  for await (const event of source.select(new Set([stream, ...streams]))) told.apply(recordedOf(event));
  const record = told.rows(records).get(stream) ?? NEW_RECORD;
  const made = told.rows(selections);
  const { bornAt, bornPosition, cause, bornIn, generation, species, genome, mutations, endedAt, end } = row;
  return {
    node,
    born: { at: bornAt, position: bornPosition, cause, cluster: bornIn, generation, species },
    genome,
    parents: row.parents.map((parent) => relative(parent, lifeIn(lives, parent))),
    mutations,
    moves: record.moves,
    cluster: row.cluster,
    votes: votesOf(record),
    judgements: row.fitness.map((one) => resultOf(node, one, made.get(generationStream(one)))),
    end: end === null || endedAt === null ? null : { ...end, at: endedAt },
    retiredAt: record.retiredAt,
    offspring: offspringOf(node, lives),
    toldTo: last,
  };
}

/** The part of a life that is in the Node's own stream, by stream. It is folded only when somebody asks for the life. */
const records: Projection<LifeRecord> = {
  name: 'life-records',
  version: 1,
  on: {
    VoteCast: ofLife((record, { data: { taskType } }) => counted(record, taskType, 'votes')),
    PerformanceRecorded: ofLife((record, { data: { taskType, correct } }) =>
      counted(record, taskType, correct ? 'right' : 'wrong'),
    ),
    TaskFailed: ofLife((record) => ({ ...record, missed: record.missed + 1 })),
    TaskRefused: ofLife((record) => ({ ...record, refused: record.refused + 1 })),
    NodeMoved: ofLife((record, { data: { at, from, to, cause } }) => ({
      ...record,
      moves: [...record.moves, { at, from, to, cause }],
    })),
    NodeRetired: ofLife((record, { data: { at } }) => ({ ...record, retiredAt: at })),
  },
};

/** What selection decided, by the stream of the generation. */
const selections: Projection<SelectionMade> = {
  name: 'selections',
  version: 1,
  on: {
    SelectionMade: ({ stream, data }, rows) => rows.set(stream, data),
  },
};

function ofLife<Event extends Recorded>(change: (record: LifeRecord, event: Event) => LifeRecord) {
  return (event: Event, rows: Rows<LifeRecord>): void => {
    rows.set(event.stream, change(rows.get(event.stream) ?? NEW_RECORD, event));
  };
}

function counted(record: LifeRecord, taskType: string, what: 'votes' | 'right' | 'wrong'): LifeRecord {
  const before = record.byType[taskType] ?? { votes: 0, right: 0, wrong: 0 };
  return { ...record, byType: { ...record.byType, [taskType]: { ...before, [what]: before[what] + 1 } } };
}

function votesOf({ byType: types, missed, refused }: LifeRecord): Life['votes'] {
  const byType = Object.entries(types)
    .map(([taskType, counts]) => ({ taskType, ...counts }))
    .sort((one, other) => other.votes - one.votes || (one.taskType < other.taskType ? -1 : 1));
  const cast = byType.reduce((sum, { votes }) => sum + votes, 0);
  return { cast, missed, refused, byType };
}

/** The stream of the generation in which a Node was ranked. */
function generationStream({ cluster, generation }: LifeFitness): string {
  return `generation-${generationId(cluster, generation)}`;
}

function resultOf(
  node: string,
  fitness: LifeFitness,
  selection: SelectionMade | undefined,
): GenerationResult {
  if (!selection) return { ...fitness, outcome: null, rule: null };
  const { elites, kept, culled, onTrial, rule } = selection;
  const outcome = elites.includes(node)
    ? 'elite'
    : kept.includes(node)
      ? 'kept'
      : culled.some((one) => one.node === node)
        ? 'culled'
        : onTrial.includes(node)
          ? 'on-trial'
          : null;
  return { ...fitness, outcome, rule };
}

function offspringOf(node: string, lives: Lives): readonly Relative[] {
  return [...lives.values()]
    .filter(({ parents }) => parents.includes(node))
    .sort((one, other) => one.bornPosition - other.bornPosition)
    .map((row) => relative(row.node, row));
}

function relative(node: string, row: LineageRow | undefined): Relative {
  if (!row) return { node, cause: null, generation: null, alive: false };
  return { node, cause: row.cause, generation: row.generation, alive: row.endedAt === null };
}

function lifeIn(lives: Lives, node: string): LineageRow | undefined {
  return lives.get(`node/${node}`);
}

function names(lives: Lives): readonly string[] {
  return [...lives.keys()].map((key) => key.slice('node/'.length));
}
