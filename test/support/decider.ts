import { isDeepStrictEqual } from 'node:util';
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate';
import type { ActorDefinition, Command, DomainEvent, Effect, Given } from '../../src/actors/actor.ts';
import { canonicalJson } from '../../src/events/envelope.ts';
import type { ActorKind } from '../../src/events/kinds.ts';
import { WorkOrder } from '../../src/events/node.ts';
import { givenFor } from '../../src/host/given.ts';
import { DEFINITIONS } from '../../src/sagas/index.ts';

/** What the host passes to `decide` besides the command. */
export interface Circumstances {
  readonly at?: string;
  readonly device?: string | null;
  readonly reads?: unknown;
  /** The id of the message. Default: another one for each command. */
  readonly messageId?: string;
}

const EFFECTS: readonly Effect['kind'][] = ['command', 'work', 'timer', 'reply'];

/** The time at which scenarios begin. */
export const START = '2026-01-05T10:00:00.000Z';

/** The time `ms` milliseconds after `START`. */
export function later(ms: number): string {
  return new Date(Date.parse(START) + ms).toISOString();
}

/** The effect that sends a command to the actor `kind/id`. */
export function sends(to: string, type: string, data: object): Effect {
  const [kind, id] = to.split('/') as [ActorKind, string];
  return { kind: 'command', to: { kind, id }, command: { type, data } };
}

/**
 * One actor without a host. Every step checks the actor's contract: `decide` does not change its input; events
 * are plain data that the machine can take one after another, and they record what the decision depended on;
 * `react` handles each of them; and effects are commands that their receivers can read, with times that the
 * event records.
 */
export class Scenario<C extends Command, E extends DomainEvent> {
  readonly definition: ActorDefinition;
  readonly id: string;
  /** All recorded events. */
  readonly history: E[] = [];
  snapshot: AnyMachineSnapshot;
  /** The events of the last command. */
  events: readonly E[] = [];
  /** The effects of these events. */
  effects: readonly Effect[] = [];
  readonly #defaults: Circumstances;
  #messages = 0;

  constructor(definition: ActorDefinition, id: string, defaults: Circumstances = {}) {
    this.definition = definition;
    this.id = id;
    this.#defaults = { at: START, device: null, reads: undefined, ...defaults };
    [this.snapshot] = initialTransition(this.definition.machine, { id });
  }

  /** Adds earlier events. */
  given(...events: readonly E[]): this {
    for (const event of events) {
      const { stored, snapshot } = this.#take(event, this.snapshot);
      this.snapshot = snapshot;
      this.history.push(stored);
    }
    return this;
  }

  when(command: C, circumstances: Circumstances = {}): this {
    this.#messages += 1;
    const { at, device, reads, messageId } = {
      messageId: `message-${this.#messages}`,
      ...this.#defaults,
      ...circumstances,
    };
    const world = givenFor({ messageId, device: device ?? null }, at ?? START, () => reads);
    const drawn = new Set<number>();
    const given: Given = {
      ...world,
      draw(purpose, index) {
        const draw = world.draw(purpose, index);
        drawn.add(draw);
        return draw;
      },
    };
    const read = this.definition.commands.parse(command);
    const events: E[] = [];
    const effects: Effect[] = [];
    const told: { context: unknown; copy: unknown }[] = [];
    let snapshot = this.snapshot;
    const decided = this.definition.decide(read, snapshot, given)[Symbol.iterator]();
    for (;;) {
      told.push({ context: snapshot.context, copy: structuredClone(snapshot.context) });
      const step = decided.next(snapshot);
      if (step.done) break;
      checkRecorded(step.value, given, drawn);
      const taken = this.#take(step.value as E, snapshot);
      snapshot = taken.snapshot;
      events.push(taken.stored);
      effects.push(...taken.effects);
    }
    if (!told.every(({ context, copy }) => isDeepStrictEqual(context, copy))) {
      throw new Error('decide has changed the context');
    }
    // If a decision throws, none of its events is recorded.
    this.snapshot = snapshot;
    this.history.push(...events);
    this.events = events;
    this.effects = effects;
    return this;
  }

  get context(): unknown {
    return this.snapshot.context;
  }

  /** The types of the last command's events. */
  get types(): readonly string[] {
    return this.events.map((event) => event.type);
  }

  /** The commands that the last command led to, as `kind/id Type`. */
  get sent(): readonly string[] {
    return this.effects.flatMap((effect) =>
      effect.kind === 'command' ? [`${effect.to.kind}/${effect.to.id} ${effect.command.type}`] : [],
    );
  }

  /** The state after an event, and its effects. */
  #take(event: E, before: AnyMachineSnapshot) {
    const stored = { type: event.type, data: JSON.parse(canonicalJson(event.data)) } as E;
    if (!isDeepStrictEqual(stored, event)) throw new Error(`${event.type} differs from what is stored`);
    if (!before.can(stored)) {
      throw new Error(`${event.type} is not handled in ${JSON.stringify(before.value)}`);
    }
    const [snapshot] = transition(this.definition.machine, before, stored);
    const effects = this.definition.react(stored, snapshot);
    for (const effect of effects) this.#check(effect, stored);
    return { stored, snapshot, effects };
  }

  #check(effect: Effect, event: E): void {
    if (!EFFECTS.includes(effect.kind)) throw new Error(`${event.type} leads to what is no effect`);
    checkTimes(effect, event);
    if (effect.kind === 'work') WorkOrder.parse(effect.body);
    if (effect.kind === 'timer') this.definition.commands.parse(effect.command);
    if (effect.kind !== 'command') return;
    const receiver = DEFINITIONS.find((definition) => definition.kind === effect.to.kind);
    if (!receiver) throw new Error(`there is no ${effect.to.kind}`);
    receiver.commands.parse(effect.command);
  }
}

/** Checks that an event records its time, the position of the rows, its draws, and its reason in words. */
function checkRecorded({ type, data }: DomainEvent, { at, reads }: Given, drawn: ReadonlySet<number>): void {
  const recorded: Readonly<Record<string, unknown>> = { ...data };
  if (recorded.at !== at) throw new Error(`${type} does not record the time ${at}`);
  if ('readPosition' in recorded && recorded.readPosition !== (reads as { position: number }).position) {
    throw new Error(`${type} does not record the position of its rows`);
  }
  const unknown = ((recorded.draws ?? []) as number[]).filter((draw) => !drawn.has(draw));
  if (unknown.length > 0) throw new Error(`${type} records draws that were not made: ${unknown}`);
  for (const field of ['reason', 'rule', 'cause', 'why']) {
    if (recorded[field] === '') throw new Error(`${type} has an empty ${field}`);
  }
}

/** Checks that every time in an effect is recorded in the event. A recomputed time could differ. */
function checkTimes(effect: Effect, event: DomainEvent): void {
  if (effect.kind !== 'command' && effect.kind !== 'work') return;
  const recorded = new Set(timesIn(event.data));
  const body = effect.kind === 'work' ? effect.body : effect.command.data;
  const others = timesIn(body).filter((time) => !recorded.has(time));
  if (others.length > 0) throw new Error(`${event.type} does not record ${others}`);
}

function timesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(timesIn) : [];
}
