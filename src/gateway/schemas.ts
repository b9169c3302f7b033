import { z } from 'zod';
import { ClusterKind, EvolutionMode, EvolutionSettings } from '../events/evolution.ts';
import { ACTOR_KINDS } from '../events/kinds.ts';
import { Id, MAX_TEXT_BYTES, type Parsed, Stakes, Text } from '../events/values.ts';
import { SHOWS } from '../replay/show-names.ts';
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

export const NodesInput = z.strictObject({
  ...Page,
  cluster: Id.optional(),
  all: z.boolean().default(false).describe('Whether retired Nodes are wanted, too'),
});
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
      status: z
        .enum(['alive', 'culled', 'retired'])
        .describe('A culled Node finishes what it has in hand, and is retired then'),
      parents: z.array(z.string()),
      inFlight: z.int(),
      answered: z.int(),
      missed: z.int(),
      trust: z.number(),
    }),
  ),
  next: z.string().nullable(),
});
export type NodesOutput = z.infer<typeof NodesOutput>;

export const EvolutionInput = z.strictObject(Page);
export const EvolutionOutput = z.object({
  position,
  mode: EvolutionMode.describe('How hard evolution presses'),
  score: z
    .number()
    .nullable()
    .describe('The network’s fitness, 0–1, as measured last; null before the first'),
  measured: z.int().describe('How often it was measured'),
  settings: EvolutionSettings.nullable().describe('Null in a network that does not evolve'),
  specialization: z
    .object({
      mutualInformation: z.number().describe('Between founder and task type over right answers, in bits'),
      normalised: z.number().describe('Its share of the most that there could be, 0–1'),
      expectedByChance: z.number().describe('What chance alone would show from so few answers, in bits'),
      rightAnswers: z.int().describe('Of Nodes that live, judged by computation or gold'),
    })
    .describe('Emergent specialization'),
  clusters: z.array(
    z.object({
      cluster: z.string(),
      name: z.string(),
      kind: ClusterKind,
      generation: z.int().describe('Generations that are over'),
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
        .describe('Its last generation, which may not be over yet; null before the first'),
      culled: z.int().describe('Over all generations'),
      born: z.int().describe('Offspring of its Nodes over all generations, wherever they live'),
    }),
  ),
  next: z.string().nullable(),
});
export type EvolutionOutput = Parsed<typeof EvolutionOutput>;

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
  omitted: z
    .string()
    .optional()
    .describe('Path of what is not shown yet, and null instead: the answer of a gold task that is not due'),
});
export type HistoryEvent = z.infer<typeof HistoryEvent>;

export const HistoryOutput = z.object({
  events: z.array(HistoryEvent),
  /** Give it as `after` for the next page; null: there is no more. */
  next: z.int().nullable(),
});
export type HistoryOutput = z.infer<typeof HistoryOutput>;

const moment = z
  .string()
  .min(1)
  .max(120)
  .describe('A position, a time, "generation:3", "generation:3@cluster" or "end"');
const show = z.enum(SHOWS).describe('Which rows');
const place = z
  .object({
    stream: z.string(),
    revision: z.int(),
    position: z.int(),
    id: z.string(),
    at: z.string(),
  })
  .nullable()
  .describe('The last event that belongs to the moment; null before the first');
const rowKey = z.string().max(200).optional().describe('Key of the last row of the page before');

export const HistoryAtInput = z.strictObject({ moment, show, after: rowKey, limit });
export const HistoryAtOutput = z.object({
  last: place,
  events: z.int().describe('How many events belong to the moment'),
  rows: z.array(z.object({ key: z.string(), row: z.unknown() })),
  next: z.string().nullable(),
});
export type HistoryAtOutput = z.infer<typeof HistoryAtOutput>;

export const HistoryDiffInput = z.strictObject({ from: moment, to: moment, show, after: rowKey, limit });
export const HistoryDiffOutput = z.object({
  from: place,
  to: place,
  changes: z.array(
    z.object({
      key: z.string(),
      change: z.enum(['added', 'removed', 'changed']),
      row: z.unknown().describe('The row that came or went'),
      fields: z
        .array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() }))
        .describe('What changed in it; a field that was not there is left out'),
    }),
  ),
  next: z.string().nullable(),
});
export type HistoryDiffOutput = z.infer<typeof HistoryDiffOutput>;

const Relative = z.object({
  node: z.string(),
  cause: z.string().nullable(),
  generation: z.int().nullable(),
  alive: z.boolean(),
});

export const HistoryWhyInput = z.strictObject({ node: Id });
export const HistoryWhyOutput = z.object({
  last: place,
  life: z.object({
    node: z.string(),
    born: z.object({
      at: z.string(),
      position: z.int(),
      cause: z.string(),
      cluster: z.string(),
      generation: z.int(),
      species: z.string(),
    }),
    genome: z.record(z.string(), z.unknown()),
    parents: z.array(Relative),
    mutations: z.array(z.object({ kind: z.string(), field: z.string(), from: z.unknown(), to: z.unknown() })),
    moves: z.array(z.object({ at: z.string(), from: z.string(), to: z.string(), cause: z.string() })),
    cluster: z.string(),
    votes: z.object({
      cast: z.int(),
      missed: z.int(),
      refused: z.int(),
      byType: z.array(z.object({ taskType: z.string(), votes: z.int(), right: z.int(), wrong: z.int() })),
    }),
    judgements: z.array(
      z.object({
        cluster: z.string(),
        generation: z.int(),
        rank: z.int(),
        of: z.int(),
        judged: z.int(),
        right: z.int(),
        fitness: z.number().nullable(),
        score: z.number().nullable(),
        outcome: z.enum(['elite', 'kept', 'culled', 'on-trial']).nullable(),
        rule: z.string().nullable(),
      }),
    ),
    end: z
      .object({
        at: z.string(),
        rule: z.string(),
        rank: z.int(),
        of: z.int(),
        fitness: z.number(),
        generation: z.int(),
      })
      .nullable(),
    retiredAt: z.string().nullable(),
    offspring: z.array(Relative).describe('The first 500'),
  }),
});
export type HistoryWhyOutput = z.infer<typeof HistoryWhyOutput>;

export const HistoryVerifyInput = z.strictObject({
  rows: z.boolean().default(true).describe('Whether the rows that the network answers from are compared'),
});
export const HistoryVerifyOutput = z.object({
  ok: z.boolean(),
  events: z.int(),
  streams: z.int(),
  faults: z
    .array(
      z.object({
        kind: z.enum(['changed', 'missing', 'reordered', 'repeated']),
        stream: z.string().nullable(),
        revision: z.int().nullable(),
        type: z.string().nullable(),
        position: z.int(),
        what: z.string(),
      }),
    )
    .describe('The first 50, the first one first'),
  stopped: z.string().nullable().describe('Why the history could not be read to its end'),
  rows: z
    .object({
      position: z.int(),
      projections: z.array(z.string()),
      compared: z.int(),
      differences: z
        .array(
          z.object({
            projection: z.string(),
            key: z.string(),
            fields: z.array(z.string()),
            what: z.string(),
          }),
        )
        .describe('The first 50'),
    })
    .nullable(),
});
export type HistoryVerifyOutput = z.infer<typeof HistoryVerifyOutput>;

export const StatusInput = z.strictObject({ minPosition });
export const StatusOutput = z.object({
  version: z.string(),
  position,
  nodes: z.int(),
  clusters: z.int(),
  mode: EvolutionMode.describe('How hard evolution presses'),
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
      kind: z.enum(ACTOR_KINDS),
      id: z.string(),
      dueAt: z.string(),
      command: z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) }),
    }),
  ),
  next: z.string().nullable(),
});
