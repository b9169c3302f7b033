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
  history: {
    name: 'history',
    subject: 'dellm.history',
    description: 'The events themselves, page by page',
    input: schemas.HistoryInput,
    output: schemas.HistoryOutput,
  },
  status: {
    name: 'status',
    subject: 'dellm.status',
    description: 'Whether the network is well, and how large it is',
    input: schemas.StatusInput,
    output: schemas.StatusOutput,
  },
} as const;
