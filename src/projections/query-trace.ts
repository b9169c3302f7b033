import { z } from 'zod';
import { EndingReply } from '../events/reply.ts';
import { Id, type Parsed } from '../events/values.ts';
import { type Ending, endingBody } from '../sagas/query/ending.ts';
import { idOf, type Projection, type Recorded, type RecordedOf, type Rows, update } from './projection.ts';
import { NotFoundError, type RowReader, read } from './read.ts';

export interface QueryRow {
  readonly kind: 'query';
  readonly queryId: string;
  readonly account: string;
  readonly question: string;
  readonly askedAt: string;
  readonly status: 'reserved' | 'running' | 'answered' | 'unknown' | 'expired';
  readonly ending: Ending | null;
}

/** An event of any actor that belongs to the query. */
export interface StepRow {
  readonly kind: 'step';
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly data: object;
}

export type TraceRow = QueryRow | StepRow;

/** Most steps in one answer, and most bytes of the query with its steps, so that the answer fits in a message. */
const MAX_STEPS = 400;
const QUERY_BYTES = 600_000;

/** Longer texts are cut off, in characters. The history has the whole text. */
const MAX_SHOWN = 2000;

/** Number of digits of a position in a key, so that keys are in the order of the store. */
const POSITION_DIGITS = 16;

export const TraceStep = z.object({
  type: z.string(),
  stream: z.string(),
  revision: z.int(),
  position: z.int(),
  data: z.record(z.string(), z.unknown()),
});
export type TraceStep = Parsed<typeof TraceStep>;

const queryRead = read({
  name: 'query',
  description: 'One query: its answer and every step',
  input: {
    queryId: Id,
    steps: z.boolean().default(true).describe('Whether to include the steps'),
  },
  output: {
    query: z.object({
      queryId: z.string(),
      account: z.string(),
      question: z.string(),
      askedAt: z.string(),
      status: z.enum(['reserved', 'running', 'answered', 'unknown', 'expired']),
      result: EndingReply.nullable(),
      steps: z.array(TraceStep).describe('The first steps, as many as fit in one answer'),
      omitted: z.int().describe('Number of steps that are not in this answer; the history has them'),
    }),
  },
  answer({ queryId, steps: wanted }, reader) {
    const row = reader.row(queryTrace, queryId);
    if (row?.kind !== 'query') {
      throw new NotFoundError(`There is no query "${queryId}".`, 'Ask it with dellm.ask, or check the id.');
    }
    const { ending, account, question, askedAt, status } = row;
    const result = ending === null ? null : EndingReply.parse(endingBody(ending, queryId));
    const query = { queryId, account, question, askedAt, status, result };
    const steps = wanted ? firstSteps(queryId, QUERY_BYTES - bytesOf(query), reader) : [];
    const all = reader.count(queryTrace, { prefix: `${queryId}/` });
    return { query: { ...query, steps, omitted: all - steps.length } };
  },
});
export const QueryOutput = queryRead.output;
export type QueryOutput = Parsed<typeof QueryOutput>;

/**
 * How a query was answered, step by step: a row under its id, and one under `<id>/<position>` for every event
 * of any actor that belongs to it. Steps are only added, so the cost of a step does not depend on the number of
 * earlier ones.
 */
export const queryTrace: Projection<TraceRow> = {
  name: 'trace',
  version: 3,
  on: {
    CreditsReserved(event, rows) {
      const row = known(event, rows);
      if (row.question === '') rows.set(row.queryId, { ...row, question: clip(event.data.request.question) });
      addStep(event, rows);
    },
    QueryAsked(event, rows) {
      const row = known(event, rows);
      const { account, question } = event.data;
      rows.set(row.queryId, { ...row, account, question: clip(question), status: 'running' });
      addStep(event, rows);
    },
    QueryAnswered: (event, rows) => end('answered', event, rows),
    QueryDeclined: (event, rows) => end('unknown', event, rows),
    QueryExpired: (event, rows) => end('expired', event, rows),
    // The asker does not see gold tasks that were mixed in.
    GoldTaskIssued() {},
    GoldTaskJudged() {},
  },
  onOther: addStep,
  isEndless: true,
  reads: [queryRead],
};

/** The row of the query that begins with this event, or that has already begun. */
function known(event: RecordedOf<'CreditsReserved' | 'QueryAsked'>, rows: Rows<TraceRow>): QueryRow {
  const queryId = queryOf(event);
  const row = rows.get(queryId);
  if (row?.kind === 'query') return row;
  const askedAt = event.data.at;
  return { kind: 'query', queryId, account: '', question: '', askedAt, status: 'reserved', ending: null };
}

function end(
  status: 'answered' | 'unknown' | 'expired',
  event: RecordedOf<Ending['type']>,
  rows: Rows<TraceRow>,
): void {
  // The type determines the data.
  const ending = { type: event.type, data: event.data } as Ending;
  update(rows, queryOf(event), (row) => (row.kind === 'query' ? { ...row, status, ending } : row));
  addStep(event, rows);
}

function addStep(event: Recorded, rows: Rows<TraceRow>): void {
  const queryId = queryOf(event);
  if (queryId === '' || rows.get(queryId) === undefined) return;
  const { type, stream, revision, position } = event;
  const key = `${queryId}/${String(position).padStart(POSITION_DIGITS, '0')}`;
  rows.set(key, { kind: 'step', type, stream, revision, position, data: shown(event.data) });
}

/**
 * The query that an event names, else the query of its message. Events after a timer that was set again from
 * the projections have a message that belongs to no query.
 */
function queryOf(event: Recorded): string {
  if (event.stream.startsWith('query-')) return idOf(event.stream, 'query');
  if ('queryId' in event.data) return event.data.queryId;
  return 'subtaskId' in event.data || 'taskId' in event.data ? event.correlationId : '';
}

/** The first steps, as many as one answer may have. */
function firstSteps(queryId: string, maxBytes: number, reader: RowReader): TraceStep[] {
  const steps: TraceStep[] = [];
  let bytes = 0;
  for (const [, row] of reader.rows(queryTrace, { prefix: `${queryId}/` })) {
    if (row.kind !== 'step') continue;
    const { type, stream, revision, position, data } = row;
    const step = { type, stream, revision, position, data: { ...data } };
    bytes += bytesOf(step);
    if (steps.length === MAX_STEPS || bytes > maxBytes) break;
    steps.push(step);
  }
  return steps;
}

/** The data itself, unless it contains a text that is too long. */
function shown(data: object): object {
  if (!hasLongText(data)) return data;
  return JSON.parse(JSON.stringify(data, (_key, value) => (typeof value === 'string' ? clip(value) : value)));
}

function hasLongText(value: unknown): boolean {
  if (typeof value === 'string') return value.length > MAX_SHOWN;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasLongText);
  // JSON has no inherited members. This runs for every event, so it avoids copies.
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) if (hasLongText(members[name])) return true;
  return false;
}

function clip(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
