import { z } from 'zod';
import { EvolutionMode } from '../events/evolution.ts';
import { EndingReply } from '../events/reply.ts';
import { Id, MAX_TEXT_BYTES, Stakes, Text } from '../events/values.ts';
import { TABLES } from '../projections/index.ts';
import { TraceStep } from '../projections/query-trace.ts';
import { limit, minPosition, position } from '../projections/read.ts';
import { ASK_TIMEOUT_MS } from './limits.ts';

/** Requests and answers of the network's services. `dellm.schemas` publishes them. */

export const AskInput = z.strictObject({
  question: Text.refine((text) => text.trim() !== '', 'a question has some text').describe(
    `What you want to know, up to ${MAX_TEXT_BYTES} bytes of UTF-8`,
  ),
  account: Id.optional().describe('Who pays; default: the account of the network’s owner'),
  queryId: Id.optional().describe('Your own id: asking again with it gives the same query, charged once'),
  stakes: Stakes.default('normal').describe('"high": more Nodes vote, and the answer needs more confidence'),
  timeoutMs: z.int().min(ASK_TIMEOUT_MS.least).max(ASK_TIMEOUT_MS.most).default(ASK_TIMEOUT_MS.default),
});
export type AskInput = z.infer<typeof AskInput>;

export const AskOutput = EndingReply;
export type AskOutput = EndingReply;

export const AskStreamItem = z.union([z.object({ step: TraceStep }), z.object({ ending: AskOutput })]);
export type AskStreamItem = z.infer<typeof AskStreamItem>;

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
    .describe(
      'Path of a field that is null because it is not shown yet: the answer of a gold task that is not due',
    ),
});
export type HistoryEvent = z.infer<typeof HistoryEvent>;

export const HistoryOutput = z.object({
  events: z.array(HistoryEvent),
  /** `after` for the next page; null if there is none. */
  next: z.int().nullable(),
});
export type HistoryOutput = z.infer<typeof HistoryOutput>;

const moment = z
  .string()
  .min(1)
  .max(120)
  .describe('A position, a time, "generation:3", "generation:3@cluster" or "end"');
const show = z.enum(TABLES.map(({ name }) => name)).describe('Which rows');
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
const rowKey = z.string().max(200).optional().describe('Key of the last row of the previous page');

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
      row: z.unknown().describe('The row that was added or removed'),
      fields: z
        .array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() }))
        .describe('The changed fields; a value that does not exist is left out'),
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
  rows: z.boolean().default(true).describe('Whether to compare the rows of the read model'),
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
  trialBalance: z.number().describe('Sum of all accounts, treasury and escrow; always 0'),
});
export type StatusOutput = z.infer<typeof StatusOutput>;

export const OpenAccountInput = z.strictObject({ account: Id });
export const OpenAccountOutput = z.object({ account: z.string(), available: z.number() });

/** Only between roles of the network. */
export const ViewInput = z.strictObject({
  since: z.int().min(-1),
  limit: z.int().min(1).max(2000),
  waitMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe('How long the answer may wait for a change after `since`, in milliseconds'),
});
export const ViewOutput = z.object({
  position: z.int(),
  rows: z.array(z.object({ projection: z.string(), key: z.string(), row: z.unknown() })),
  more: z.boolean(),
});
export type ViewOutput = z.infer<typeof ViewOutput>;
