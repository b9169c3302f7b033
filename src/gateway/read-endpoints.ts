import * as schemas from './schemas.ts';

/** What the read model's public endpoints are called and take, known also where they are not served. */
export const READ_ENDPOINTS = {
  query: {
    name: 'query',
    subject: 'dellm.query',
    description: 'One query: its answer and every step on the way there',
    input: schemas.QueryInput,
    output: schemas.QueryOutput,
  },
  matrix: {
    name: 'matrix',
    subject: 'dellm.matrix',
    description: 'The performance matrix: how well each Node and Cluster does each type of task',
    input: schemas.MatrixInput,
    output: schemas.MatrixOutput,
  },
  trust: {
    name: 'trust',
    subject: 'dellm.trust',
    description: 'Trust scores of Nodes and Clusters',
    input: schemas.TrustInput,
    output: schemas.TrustOutput,
  },
  credits: {
    name: 'credits',
    subject: 'dellm.credits',
    description: 'Accounts and the trial balance, in credits',
    input: schemas.CreditsInput,
    output: schemas.CreditsOutput,
  },
  nodes: {
    name: 'nodes',
    subject: 'dellm.nodes',
    description: 'The Nodes with their genomes and records',
    input: schemas.NodesInput,
    output: schemas.NodesOutput,
  },
  evolution: {
    name: 'evolution',
    subject: 'dellm.evolution',
    description: 'How evolution goes: mode, fitness, settings, generations of the Clusters, specialization',
    input: schemas.EvolutionInput,
    output: schemas.EvolutionOutput,
  },
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
