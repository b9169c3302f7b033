import { z } from 'zod';
import { Id, MAX_TEXT_BYTES, Stakes, Text } from '../events/values.ts';
import { ASK_TIMEOUT_MS, PAGE_LIMIT } from './limits.ts';

/** Requests and answers of the network's services, as `dellm.schemas` publishes them. */

const limit = z.int().min(1).max(PAGE_LIMIT.most).default(PAGE_LIMIT.default);
const minPosition = z.int().min(0).optional().describe('Wait until the read model knows this position');
const position = z.int().describe('Position of the event store that the answer is from');

export const AskInput = z.strictObject({
  question: Text.refine((text) => text.trim() !== '', 'a question has some text').describe(
    `What you want to know, up to ${MAX_TEXT_BYTES} bytes of UTF-8`,
  ),
  account: Id.optional().describe('Who pays; default: the account of the network’s owner'),
  queryId: Id.optional().describe('Your own id: asking again with it gives the same query, charged once'),
  stakes: Stakes.default('normal').describe('"high": more Nodes vote, and the answer must be surer'),
  timeoutMs: z.int().min(ASK_TIMEOUT_MS.least).max(ASK_TIMEOUT_MS.most).default(ASK_TIMEOUT_MS.default),
});
export type AskInput = z.infer<typeof AskInput>;

export const AskOutput = z.object({
  queryId: z.string(),
  outcome: z.enum(['answered', 'unknown', 'expired']),
  answer: z.string().nullable(),
  confidence: z.number().min(0).max(1),
  /** In credits. */
  credits: z.number().describe('What the query cost, in credits'),
  reason: z.string().optional().describe('Why there is no answer'),
  candidate: z
    .string()
    .nullable()
    .optional()
    .describe('The best guess, which was not good enough to be given'),
});
export type AskOutput = z.infer<typeof AskOutput>;

export const TraceStep = z.object({
  type: z.string(),
  stream: z.string(),
  revision: z.int(),
  position: z.int(),
  data: z.record(z.string(), z.unknown()),
});

export const AskStreamItem = z.union([z.object({ step: TraceStep }), z.object({ ending: AskOutput })]);
export type AskStreamItem = z.infer<typeof AskStreamItem>;

export const QueryInput = z.strictObject({
  queryId: Id,
  steps: z.boolean().default(true).describe('Whether the steps are wanted, besides the result'),
  minPosition,
});
export const QueryOutput = z.object({
  position,
  query: z.object({
    queryId: z.string(),
    account: z.string(),
    question: z.string(),
    askedAt: z.string(),
    status: z.enum(['reserved', 'running', 'answered', 'unknown', 'expired']),
    result: AskOutput.nullable(),
    steps: z.array(TraceStep).describe('The first ones, as many as one answer takes'),
    omitted: z.int().describe('Steps that are not in this answer; the history has them'),
  }),
});
export type QueryOutput = z.infer<typeof QueryOutput>;

const Page = {
  after: z.string().max(200).optional().describe('Key of the last row of the page before'),
  limit,
  minPosition,
};

export const MatrixInput = z.strictObject({
  ...Page,
  resource: z.string().max(80).optional().describe('"node/<id>" or "cluster/<id>"'),
});
export const MatrixOutput = z.object({
  position,
  cells: z.array(
    z.object({
      key: z.string(),
      resource: z.string(),
      taskType: z.string(),
      score: z.number().describe('correctness × speed, 0–1'),
      correctness: z.number(),
      latencyMs: z.number(),
      answers: z.int(),
    }),
  ),
  next: z.string().nullable(),
});
export type MatrixOutput = z.infer<typeof MatrixOutput>;

export const TrustInput = z.strictObject(Page);
export const TrustOutput = z.object({
  position,
  rows: z.array(
    z.object({
      key: z.string(),
      trust: z.number().describe('recent × 0.6 + lifetime × 0.3 + uptime × 0.1'),
      judged: z.int(),
      correct: z.int(),
      streak: z.int(),
      uptime: z.number(),
      proven: z.boolean(),
    }),
  ),
  next: z.string().nullable(),
});
export type TrustOutput = z.infer<typeof TrustOutput>;

export const CreditsInput = z.strictObject({ account: Id.optional(), ...Page });
export const CreditsOutput = z.object({
  position,
  accounts: z.array(
    z.object({
      account: z.string(),
      available: z.number(),
      reserved: z.number(),
      earned: z.number(),
      spent: z.number(),
      penalised: z.number(),
    }),
  ),
  /** All in credits; the three sum to zero. */
  balance: z.object({ accounts: z.number(), treasury: z.number(), escrow: z.number() }),
  next: z.string().nullable(),
});
export type CreditsOutput = z.infer<typeof CreditsOutput>;

export const NodesInput = z.strictObject({ ...Page, cluster: Id.optional() });
export const NodesOutput = z.object({
  position,
  nodes: z.array(
    z.object({
      id: z.string(),
      species: z.string(),
      cluster: z.string(),
      device: z.string(),
      specialization: z.string(),
      models: z.tuple([z.string(), z.string()]),
      generation: z.int(),
      inFlight: z.int(),
      answered: z.int(),
      missed: z.int(),
      trust: z.number(),
    }),
  ),
  next: z.string().nullable(),
});
export type NodesOutput = z.infer<typeof NodesOutput>;

export const HistoryInput = z.strictObject({
  stream: z.string().min(1).max(200).optional().describe('Only this stream'),
  after: z
    .int()
    .min(-1)
    .optional()
    .describe('Only events after this position (in a stream: after this revision)'),
  direction: z.enum(['forwards', 'backwards']).default('forwards'),
  limit,
});
export const HistoryEvent = z.object({
  stream: z.string(),
  revision: z.int(),
  position: z.int(),
  id: z.string(),
  type: z.string(),
  created: z.string(),
  data: z.record(z.string(), z.unknown()),
  metadata: z.record(z.string(), z.unknown()),
});
export type HistoryEvent = z.infer<typeof HistoryEvent>;

export const HistoryOutput = z.object({
  events: z.array(HistoryEvent),
  /** Give it as `after` for the next page; null: there is no more. */
  next: z.int().nullable(),
});
export type HistoryOutput = z.infer<typeof HistoryOutput>;

export const StatusInput = z.strictObject({ minPosition });
export const StatusOutput = z.object({
  version: z.string(),
  position,
  nodes: z.int(),
  clusters: z.int(),
  openQueries: z.int(),
  fleets: z.array(z.string()),
  devices: z.array(z.string()),
  /** Devices whose answers are simulated. */
  simulated: z.array(z.string()),
  trialBalance: z.number().describe('Zero, or the books are wrong'),
});
export type StatusOutput = z.infer<typeof StatusOutput>;

export const OpenAccountInput = z.strictObject({ account: Id });
export const OpenAccountOutput = z.object({ account: z.string(), available: z.number() });

/** Between roles of the network only. */
export const ViewInput = z.strictObject({ since: z.int().min(-1), limit: z.int().min(1).max(2000) });
export const ViewOutput = z.object({
  position: z.int(),
  rows: z.array(z.object({ projection: z.string(), key: z.string(), row: z.unknown() })),
  more: z.boolean(),
});
export type ViewOutput = z.infer<typeof ViewOutput>;

export const DeadlinesInput = z.strictObject({ after: z.string().max(200).default('') });
export const DeadlinesOutput = z.object({
  deadlines: z.array(
    z.object({
      kind: z.enum(['account', 'node', 'cluster', 'superCluster', 'query', 'genesis', 'generation']),
      id: z.string(),
      dueAt: z.string(),
      command: z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) }),
    }),
  ),
  next: z.string().nullable(),
});
