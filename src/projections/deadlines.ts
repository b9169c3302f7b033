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
import type { Projection, RecordedOf } from './projection.ts';

export interface Deadline {
  readonly dueAt: string;
  readonly command: PassDeadlineOf<ActorKind>;
}

/** What an actor is waiting for, and until when. */
export interface DeadlinesRow {
  readonly kind: ActorKind;
  readonly id: string;
  readonly waiting: Readonly<Record<string, Deadline>>;
}

type ActorEventType = EventOf<ActorKind>['type'];

/** An event that opens or meets a deadline. */
type Timed = RecordedOf<ActorEventType>;

/** Whose event it is, by its type. */
const KINDS: ReadonlyMap<string, ActorKind> = new Map(
  ACTOR_KINDS.flatMap((kind) => deadlineTypes(kind).map((type) => [type, kind] as const)),
);

/** The deadlines that have not been met, by actor, so that a fleet that takes over can wind its clocks. */
export const deadlines: Projection<DeadlinesRow, ActorEventType> = {
  name: 'deadlines',
  version: 3,
  resident: true,
  // These are types that actors record: what is declared has no others.
  types: [...KINDS.keys()] as ActorEventType[],
  keys(event) {
    const change = changeOf(event);
    return change ? [`${change.kind}/${change.id}`] : [];
  },
  fold(row, event) {
    const change = changeOf(event);
    if (!change) return row;
    const { kind, id, met, allMet, opened } = change;
    const waiting: Record<string, Deadline> = {};
    for (const key in row?.waiting) {
      const deadline = row.waiting[key];
      if (deadline && !allMet && key !== met && key !== opened?.key) waiting[key] = deadline;
    }
    if (opened) {
      const { key, dueAt, data } = opened;
      waiting[key] = { dueAt, command: { type: 'PassDeadline', data } };
    }
    for (const _key in waiting) return { kind, id, waiting };
    return undefined;
  },
};

/** What an event does to the deadlines of an actor: one is met, or all are, and then one may be opened. */
interface Change {
  readonly kind: ActorKind;
  readonly id: string;
  readonly met: string | null;
  readonly allMet: boolean;
  readonly opened: ReturnType<typeof openedBy<ActorKind>>;
}

/** What the last event changed: `keys` and `fold` both ask, one right after the other. */
let known: { readonly event: Timed | null; readonly change: Change | null } = { event: null, change: null };

function changeOf(event: Timed): Change | null {
  if (known.event !== event) known = { event, change: readChange(event) };
  return known.change;
}

function readChange(event: Timed): Change | null {
  const kind = KINDS.get(event.type);
  if (kind === undefined) return null;
  const met = metBy(kind, event);
  const allMet = meetsAll(kind, event);
  const opened = openedBy(kind, event);
  const id = event.stream.slice(event.stream.indexOf('-') + 1);
  return met === null && !allMet && opened === null ? null : { kind, id, met, allMet, opened };
}
