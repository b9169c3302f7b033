import type { DescribedEndpoint } from '../messaging/service.ts';
import { READS } from '../projections/index.ts';
import * as schemas from './schemas.ts';

/** Endpoints of the read side that are more than a read of rows. */
export const READ_ENDPOINTS = {
  history: {
    name: 'history',
    subject: 'dellm.history',
    description: 'The events themselves, page by page',
    input: schemas.HistoryInput,
    output: schemas.HistoryOutput,
  },
  historyAt: {
    name: 'history-at',
    subject: 'dellm.history.at',
    description: 'Rows as they were at a moment: after an event, at a time, after a generation',
    input: schemas.HistoryAtInput,
    output: schemas.HistoryAtOutput,
  },
  historyDiff: {
    name: 'history-diff',
    subject: 'dellm.history.diff',
    description: 'What has become of rows between two moments',
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
    description: 'Whether the history is whole, and the rows are what it folds to',
    input: schemas.HistoryVerifyInput,
    output: schemas.HistoryVerifyOutput,
  },
  status: {
    name: 'status',
    subject: 'dellm.status',
    description: 'Whether the network is well, and how large it is',
    input: schemas.StatusInput,
    output: schemas.StatusOutput,
  },
} as const;

/** What the read side answers to everybody, known also where it is not served. */
export const PUBLIC_READ_ENDPOINTS: readonly DescribedEndpoint[] = [
  ...READS.filter(({ subject }) => !subject.startsWith('dellm.view.')),
  ...Object.values(READ_ENDPOINTS),
];
