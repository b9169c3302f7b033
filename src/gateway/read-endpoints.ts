import type { DescribedEndpoint } from '../messaging/service.ts';
import { READS } from '../projections/index.ts';
import * as schemas from './schemas.ts';

/** Endpoints of the read side that do more than read rows. */
export const READ_ENDPOINTS = {
  history: {
    name: 'history',
    subject: 'dellm.history',
    description: 'The events, page by page',
    input: schemas.HistoryInput,
    output: schemas.HistoryOutput,
  },
  historyAt: {
    name: 'history-at',
    subject: 'dellm.history.at',
    description: 'Rows at a moment: after an event, at a time, after a generation',
    input: schemas.HistoryAtInput,
    output: schemas.HistoryAtOutput,
  },
  historyDiff: {
    name: 'history-diff',
    subject: 'dellm.history.diff',
    description: 'How rows changed between two moments',
    input: schemas.HistoryDiffInput,
    output: schemas.HistoryDiffOutput,
  },
  historyWhy: {
    name: 'history-why',
    subject: 'dellm.history.why',
    description: "A Node's life: parents, mutations, votes, fitness, and what ended it",
    input: schemas.HistoryWhyInput,
    output: schemas.HistoryWhyOutput,
  },
  historyVerify: {
    name: 'history-verify',
    subject: 'dellm.history.verify',
    description: 'Whether the history is complete and unchanged, and the rows are what it folds to',
    input: schemas.HistoryVerifyInput,
    output: schemas.HistoryVerifyOutput,
  },
  status: {
    name: 'status',
    subject: 'dellm.status',
    description: 'The state and size of the network',
    input: schemas.StatusInput,
    output: schemas.StatusOutput,
  },
} as const;

/** The read endpoints that are open to everybody, known also to processes that do not serve them. */
export const PUBLIC_READ_ENDPOINTS: readonly DescribedEndpoint[] = [
  ...READS.filter(({ subject }) => !subject.startsWith('dellm.view.')),
  ...Object.values(READ_ENDPOINTS),
];
