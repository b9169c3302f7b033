import { z } from 'zod';
import {
  ACTOR_KINDS,
  type ActorKind,
  deadlineTypes,
  type EventOf,
  meetsAll,
  metBy,
  openedBy,
  type PassDeadlineOf,
} from '../events/kinds.ts';
import type { Projection, RecordedOf, Rows } from './projection.ts';
import { PAGE_LIMIT, pageOf, type Read } from './read.ts';

export interface Deadline {
  readonly dueAt: string;
  readonly command: PassDeadlineOf<ActorKind>;
}

/** The open waits of an actor. */
export interface DeadlinesRow {
  readonly kind: ActorKind;
  readonly id: string;
  readonly waiting: Readonly<Record<string, Deadline>>;
}

type ActorEventType = EventOf<ActorKind>['type'];

/** An event that opens or meets a wait. */
type Timed = RecordedOf<ActorEventType>;

/** The kind of the actor that records an event, by the event's type. */
const KINDS: ReadonlyMap<string, ActorKind> = new Map(
  ACTOR_KINDS.flatMap((kind) => deadlineTypes(kind).map((type) => [type, kind] as const)),
);

/** Fleets ask this when they start, when they take over partitions, and at intervals. */
const deadlinesRead = {
  name: 'deadlines',
  subject: 'dellm.view.deadlines',
  description: 'For fleets: what the actors wait for, and until when',
  input: z.strictObject({ after: z.string().max(200).default('') }),
  output: z.object({
    deadlines: z.array(
      z.object({
        kind: z.enum(ACTOR_KINDS),
        id: z.string(),
        dueAt: z.string(),
        command: z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) }),
      }),
    ),
    next: z.string().nullable(),
  }),
  answer({ after }, reader) {
    const { rows, next } = pageOf(reader.rows(deadlines, { after }), PAGE_LIMIT.most);
    const open = rows.flatMap(([, { kind, id, waiting }]) =>
      Object.values(waiting).map(({ dueAt, command }) => ({
        kind,
        id,
        dueAt,
        command: { type: command.type, data: { ...command.data } },
      })),
    );
    return { deadlines: open, next };
  },
} satisfies Read;
export const DeadlinesOutput = deadlinesRead.output;

/** The open deadlines by actor, so that a fleet that takes over an actor can set its timers. */
export const deadlines: Projection<DeadlinesRow> = {
  name: 'deadlines',
  version: 3,
  on: Object.fromEntries([...KINDS.keys()].map((type) => [type, fold])),
  reads: [deadlinesRead],
};

function fold(event: Timed, rows: Rows<DeadlinesRow>): void {
  const change = changeOf(event);
  if (!change) return;
  const { kind, id, met, allMet, opened } = change;
  const key = `${kind}/${id}`;
  const before = rows.get(key)?.waiting;
  const waiting: Record<string, Deadline> = {};
  for (const name in before) {
    const deadline = before[name];
    if (deadline && !allMet && name !== met && name !== opened?.key) waiting[name] = deadline;
  }
  if (opened)
    waiting[opened.key] = { dueAt: opened.dueAt, command: { type: 'PassDeadline', data: opened.data } };
  if (Object.keys(waiting).length > 0) rows.set(key, { kind, id, waiting });
  else rows.delete(key);
}

/** How an event changes the waits of an actor: it meets one or all, and then may open one. */
interface Change {
  readonly kind: ActorKind;
  readonly id: string;
  readonly met: string | null;
  readonly allMet: boolean;
  readonly opened: ReturnType<typeof openedBy<ActorKind>>;
}

function changeOf(event: Timed): Change | null {
  const kind = KINDS.get(event.type);
  if (kind === undefined) return null;
  const met = metBy(kind, event);
  const allMet = meetsAll(kind, event);
  const opened = openedBy(kind, event);
  const id = event.stream.slice(event.stream.indexOf('-') + 1);
  return met === null && !allMet && opened === null ? null : { kind, id, met, allMet, opened };
}
