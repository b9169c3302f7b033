import { idOf, type Projection, type Recorded } from './projection.ts';

export interface TraceStep {
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly data: object;
}

export interface TraceRow {
  readonly queryId: string;
  readonly account: string;
  readonly question: string;
  readonly askedAt: string;
  readonly status: 'reserved' | 'running' | 'answered' | 'unknown' | 'expired';
  /** Data of the ending event. */
  readonly ending: object | null;
  /** Every event of every actor that belongs to the query, in the order of the store. */
  readonly steps: readonly TraceStep[];
  /** Steps that were left out because there were more than the row holds. */
  readonly omitted: number;
}

const MAX_STEPS = 400;

/** Longer texts are shown by their beginning: the whole one is in the history. */
const MAX_SHOWN = 2000;

/** How a query was answered, step by step: a row under each queryId. */
export const queryTrace: Projection<TraceRow> = {
  name: 'trace',
  version: 2,
  resident: false,
  types: null,
  keys(event) {
    const queryId = queryOf(event);
    return queryId === '' ? [] : [queryId];
  },
  fold(row, event, key) {
    if (!row && event.type !== 'CreditsReserved' && event.type !== 'QueryAsked') return undefined;
    const before: TraceRow = row ?? {
      queryId: key,
      account: '',
      question: '',
      askedAt: event.data.at,
      status: 'reserved',
      ending: null,
      steps: [],
      omitted: 0,
    };
    return withStep(withStatus(before, event), event);
  },
};

/**
 * The query that an event says that it belongs to, else the one that its message belonged to: what follows from a
 * clock that was wound again after a restart belongs to no message of the query.
 */
function queryOf(event: Recorded): string {
  // A gold task that was mixed in among a query's tasks is none of the asker's business.
  if (event.type === 'GoldTaskIssued' || event.type === 'GoldTaskJudged') return '';
  if (event.stream.startsWith('query-')) return idOf(event.stream, 'query');
  if ('queryId' in event.data) return event.data.queryId;
  return 'subtaskId' in event.data || 'taskId' in event.data ? event.correlationId : '';
}

function withStatus(row: TraceRow, event: Recorded): TraceRow {
  switch (event.type) {
    case 'CreditsReserved':
      return row.question === '' ? { ...row, question: clip(event.data.request.question) } : row;
    case 'QueryAsked':
      return {
        ...row,
        status: 'running',
        account: event.data.account,
        question: clip(event.data.question),
      };
    case 'QueryAnswered':
      return { ...row, status: 'answered', ending: event.data };
    case 'QueryDeclined':
      return { ...row, status: 'unknown', ending: event.data };
    case 'QueryExpired':
      return { ...row, status: 'expired', ending: event.data };
    default:
      return row;
  }
}

function withStep(row: TraceRow, event: Recorded): TraceRow {
  if (row.steps.length >= MAX_STEPS) return { ...row, omitted: row.omitted + 1 };
  const { type, stream, revision, position } = event;
  return { ...row, steps: [...row.steps, { type, stream, revision, position, data: shown(event.data) }] };
}

/** The data itself, unless there is a text in it that is too long. */
function shown(data: object): object {
  if (!hasLongText(data)) return data;
  return JSON.parse(JSON.stringify(data, (_key, value) => (typeof value === 'string' ? clip(value) : value)));
}

function hasLongText(value: unknown): boolean {
  if (typeof value === 'string') return value.length > MAX_SHOWN;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasLongText);
  // JSON has no inherited members, and this is looked at for every event.
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) if (hasLongText(members[name])) return true;
  return false;
}

function clip(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
