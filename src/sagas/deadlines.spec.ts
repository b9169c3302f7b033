import { describe, expect, it } from 'vitest';
import { type AnyMachineSnapshot, type AnyStateNode, initialTransition, transition } from 'xstate';
import { recordedHistory } from '../../test/histories/histories.ts';
import { Scenario, START } from '../../test/support/decider.ts';
import { SETTINGS } from '../../test/support/evolution.ts';
import { networkView } from '../../test/support/views.ts';
import type { ActorDefinition, Command, DomainEvent } from '../actors/actor.ts';
import type { Wait } from '../events/deadline.ts';
import { type ActorKind, DEADLINES, type EventOf, meetsAll, metBy, openedBy } from '../events/kinds.ts';
import { later } from '../events/later.ts';
import type { HistoryEvent } from '../replay/history-file.ts';
import { DEFINITIONS } from './index.ts';

/**
 * What each state without states in it is: `rest` waits for nobody who owes something, `wait` does, and `pass` is left
 * again by the decision that entered it.
 */
const STATES: Readonly<Record<ActorKind, Readonly<Record<string, 'rest' | 'wait' | 'pass'>>>> = {
  account: { closed: 'rest', 'open.free': 'rest', 'open.holding': 'wait' },
  node: {
    unborn: 'rest',
    'alive.life.living': 'rest',
    'alive.life.leaving': 'rest',
    'alive.tasks': 'rest',
    'alive.modelA.idle': 'rest',
    'alive.modelA.thinking': 'wait',
    'alive.modelB.idle': 'rest',
    'alive.modelB.thinking': 'wait',
    retired: 'rest',
  },
  cluster: {
    unformed: 'rest',
    'formed.tasks.idle': 'rest',
    'formed.tasks.polling': 'wait',
    'formed.generations.gathering': 'rest',
    'formed.generations.judging': 'wait',
    'formed.standing.whole': 'rest',
    'formed.standing.dissolved': 'rest',
  },
  // A subtask in flight is its query's to wait for.
  superCluster: {
    'routing.unformed': 'rest',
    'routing.resting': 'rest',
    'routing.busy': 'rest',
    'evolution.resting': 'rest',
    'evolution.pressing': 'rest',
  },
  query: {
    'lifecycle.unasked': 'rest',
    'lifecycle.planning': 'pass',
    'lifecycle.working': 'wait',
    'lifecycle.concluding': 'pass',
    'lifecycle.answered': 'rest',
    'lifecycle.declined': 'rest',
    'lifecycle.expired': 'rest',
    'superLlm.listening': 'rest',
    'superLlm.analysing': 'pass',
    'superLlm.decomposing': 'pass',
    'superLlm.awaitingParts': 'wait',
    'superLlm.validating': 'pass',
    'superLlm.done': 'rest',
    'verifier.watching': 'rest',
    'verifier.judging': 'pass',
  },
  genesis: { void: 'rest', bearing: 'wait', complete: 'rest' },
  generation: { void: 'rest', judging: 'pass', succeeding: 'wait', complete: 'rest' },
};

/** A way into a state. */
interface Entry {
  readonly from: string;
  readonly type: string;
}

/** An actor after a message, with what it waits for. */
interface Moment {
  readonly definition: ActorDefinition;
  readonly id: string;
  readonly history: readonly DomainEvent[];
  readonly snapshot: AnyMachineSnapshot;
  readonly waits: ReadonlyMap<string, Wait>;
  /** Types of the last message's events that opened a wait, with its key. */
  readonly opened: readonly { readonly type: string; readonly key: string }[];
}

const READS = networkView([], [], 7, { evolution: { settings: SETTINGS, mode: 'normal' } });

function leavesOf(state: AnyStateNode): readonly AnyStateNode[] {
  const children = Object.values(state.states);
  return children.length === 0 ? [state] : children.flatMap(leavesOf);
}

/** The states in which an actor is that enters this one. */
function enteredWith(state: AnyStateNode): readonly string[] {
  const children = Object.values(state.states);
  if (children.length === 0) return [state.path.join('.')];
  return state.type === 'parallel'
    ? children.flatMap(enteredWith)
    : state.initial.target.flatMap((target) => enteredWith(target as AnyStateNode));
}

/** The value of a machine's state, given its path. */
function stateAt(path: string): string | Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  return rest.length === 0 ? first : { [first]: stateAt(rest.join('.')) };
}

/** Every way into each state, by its path. */
function entriesOf(root: AnyStateNode): ReadonlyMap<string, readonly Entry[]> {
  const entries = new Map<string, Entry[]>();
  const visit = (state: AnyStateNode): void => {
    for (const [type, transitions] of state.transitions) {
      for (const target of transitions.flatMap((transition) => transition.target ?? [])) {
        for (const path of enteredWith(target as AnyStateNode)) {
          const known = entries.get(path) ?? [];
          entries.set(path, [...known, { from: state.path.join('.'), type }]);
        }
      }
    }
    for (const child of Object.values(state.states)) visit(child);
  };
  visit(root);
  return entries;
}

function waitsAfter(
  kind: ActorKind,
  before: ReadonlyMap<string, Wait>,
  event: EventOf<ActorKind>,
): Map<string, Wait> {
  const waits = new Map(meetsAll(kind, event) ? [] : before);
  const met = metBy(kind, event);
  if (met !== null) waits.delete(met);
  const opened = openedBy(kind, event);
  if (opened !== null) waits.set(opened.key, opened);
  return waits;
}

/** The moment after some more events. */
function goOn(moment: Moment, events: readonly DomainEvent[]): Moment {
  const { kind, machine } = moment.definition;
  let { waits, snapshot } = moment;
  const opened: { type: string; key: string }[] = [];
  for (const event of events as readonly EventOf<ActorKind>[]) {
    [snapshot] = transition(machine, snapshot, event);
    waits = waitsAfter(kind, waits, event);
    const wait = openedBy(kind, event);
    if (wait !== null) opened.push({ type: event.type, key: wait.key });
  }
  return { ...moment, history: [...moment.history, ...events], snapshot, waits, opened };
}

function begin(definition: ActorDefinition, id: string): Moment {
  const [snapshot] = initialTransition(definition.machine, { id });
  return { definition, id, history: [], snapshot, waits: new Map(), opened: [] };
}

function definitionOf(kind: ActorKind): ActorDefinition {
  const definition = DEFINITIONS.find((one) => one.kind === kind);
  if (!definition) throw new Error(`there is no ${kind}`);
  return definition;
}

function scenarioAt({ definition, id, history }: Moment): Scenario<Command, DomainEvent> {
  return new Scenario<Command, DomainEvent>(definition, id, { reads: READS }).given(...history);
}

/** What a recorded history makes of its actors, message by message. */
async function moments(): Promise<readonly Moment[]> {
  const lines = (await recordedHistory('0.1.0-schema-2')).trimEnd().split('\n');
  const byStream = new Map<string, HistoryEvent[]>();
  for (const line of lines) {
    const event = JSON.parse(line) as HistoryEvent;
    byStream.set(event.stream, [...(byStream.get(event.stream) ?? []), event]);
  }
  return [...byStream].flatMap(([stream, events]) => {
    const dash = stream.indexOf('-');
    const definition = DEFINITIONS.find(({ category }) => category === stream.slice(0, dash));
    if (!definition) return [];
    const all: Moment[] = [];
    let moment = begin(definition, stream.slice(dash + 1));
    for (let start = 0; start < events.length; ) {
      const messageOf = (index: number) => (events[index]?.metadata as { messageId?: string })?.messageId;
      let end = start + 1;
      while (end < events.length && messageOf(end) === messageOf(start)) end += 1;
      moment = goOn(
        moment,
        events.slice(start, end).map(({ type, data }) => ({ type, data })),
      );
      all.push(moment);
      start = end;
    }
    return all;
  });
}

/** Moments that the recorded history has not: a subtask that nobody took, and a success before any task was given. */
function further(recorded: readonly Moment[]): readonly Moment[] {
  const dispatched = recorded.find(({ opened }) => opened.some(({ type }) => type === 'SubtaskDispatched'));
  const wait = [...(dispatched?.waits.values() ?? [])].find(({ key }) => key !== 'query');
  if (!dispatched || !wait) throw new Error('no subtask was dispatched');
  const { subtaskId, attempt } = wait.data as { subtaskId: string; attempt: number };
  const nobody = { subtaskId, attempt, resource: null, reason: 'Nobody is there.', best: null };
  const asked = dispatched.history.at(-1)?.data as { at: string };
  const failed = scenarioAt(dispatched).when({ type: 'RecordFailure', data: nobody }, { at: asked.at });

  const cluster = begin(definitionOf('cluster'), 'maths');
  const formation = { cluster: 'maths', name: 'Maths', specialization: 'mathematical', generation: 0 };
  const member = { node: 'n1', device: 'laptop', owner: 'owner', specialization: 'logical', pair: 'a+b' };
  const reported = scenarioAt(cluster)
    .when({ type: 'FormCluster', data: { ...formation, saga: null } })
    .when({ type: 'AdmitNode', data: member })
    .when({ type: 'ReportPerformance', data: { node: 'n1', successes: 1 } });
  return [goOn(dispatched, failed.events), goOn(cluster, reported.history)];
}

describe.each(DEFINITIONS.map((definition) => [definition.kind, definition] as const))(
  'the states of %s',
  (kind, { machine }) => {
    const states = STATES[kind];
    const entries = entriesOf(machine.root);
    const opens = Object.keys(DEADLINES[kind].opens);

    /** Whether every way into a state goes by an event that opens a deadline. */
    function hasDeadline(path: string): boolean {
      return (entries.get(path) ?? []).every(
        ({ from, type }) =>
          opens.includes(type) || states[from] === 'wait' || (states[from] === 'pass' && hasDeadline(from)),
      );
    }

    it('are all known to rest, to wait or to pass', () => {
      const paths = leavesOf(machine.root).map(({ path }) => path.join('.'));
      expect(Object.keys(states).sort()).toEqual(paths.sort());
    });

    it('have a deadline where they wait', () => {
      const waiting = Object.keys(states).filter((path) => states[path] === 'wait');
      expect(waiting.filter((path) => !entries.has(path) || !hasDeadline(path))).toEqual([]);
    });
  },
);

describe('in a recorded history', () => {
  const recorded = moments();

  it('every waiting state has a deadline, and no actor stays in a state that is over', async () => {
    const wrong = (await recorded).flatMap((moment) => {
      const { kind } = moment.definition;
      const paths = Object.keys(STATES[kind]).filter((path) => moment.snapshot.matches(stateAt(path)));
      const open = moment.waits.size > 0;
      return paths
        .filter((path) => STATES[kind][path] === 'pass' || (STATES[kind][path] === 'wait' && !open))
        .map((path) => `${kind} ${moment.id} ${path} after ${moment.history.length} events`);
    });
    expect(wrong).toEqual([]);
  });

  it('all that was waited for was met in the end, but for generations that go on', async () => {
    const last = new Map(
      (await recorded).map((moment) => [`${moment.definition.kind}/${moment.id}`, moment]),
    );
    const open = [...last].flatMap(([actor, { waits }]) => [...waits.keys()].map((key) => `${actor} ${key}`));
    expect(open.filter((wait) => !/^cluster\/\S+ generation$/.test(wait))).toEqual([]);
  });
});

describe('a deadline', () => {
  it.each([
    ['account', 'CreditsReserved', 'CreditsSettled', { transferId: 't1' }],
    ['account', 'SettlementDemanded', 'CreditsReleased', { transferId: 't1' }],
    ['node', 'TaskAccepted', 'VoteCast', { taskId: 't1' }],
    ['node', 'TaskAccepted', 'TaskFailed', { taskId: 't1' }],
    ['cluster', 'TaskDistributed', 'ConsensusReached', { subtaskId: 's1', attempt: 1 }],
    ['cluster', 'TaskDistributed', 'ConsensusFailed', { subtaskId: 's1', attempt: 1 }],
    ['cluster', 'GoldTaskIssued', 'GoldTaskJudged', { taskId: 't1' }],
    ['cluster', 'GenerationOpened', 'GenerationClosed', { generation: 1 }],
    ['query', 'SubtaskDispatched', 'SubtaskAnswered', { subtaskId: 's1', attempt: 1 }],
    ['query', 'SubtaskDispatched', 'SubtaskFailed', { subtaskId: 's1', attempt: 1, retryAt: null }],
    ['query', 'QueryAsked', 'QueryAnswered', {}],
    ['query', 'QueryAsked', 'QueryDeclined', {}],
    ['query', 'QueryAsked', 'QueryExpired', {}],
    ['genesis', 'GenesisBegun', 'GenesisCompleted', {}],
    ['generation', 'GenerationBegun', 'GenerationCompleted', {}],
  ] as const)('of %s that %s has opened is met by %s, and no other is', (kind, opens, meets, data) => {
    const tell = (waits: ReadonlyMap<string, Wait>, type: string, about: object) =>
      // Only what the declarations read of an event.
      waitsAfter(kind, waits, { type, data: { dueAt: START, ...about } } as EventOf<ActorKind>);
    const other = new Map<string, Wait>([['other', { key: 'other', dueAt: START, data: {} }]]);
    const opened = tell(other, opens, data);
    expect(opened.size).toBe(2);
    const left = (DEADLINES[kind].meetsAll as readonly string[]).includes(meets) ? [] : ['other'];
    expect([...tell(opened, meets, data).keys()]).toEqual(left);
  });

  it('that passes is met or set anew, and before its time nothing happens', async () => {
    const recorded = await moments();
    const seen = new Map<string, number>();
    const queue = [...further(recorded), ...recorded];
    for (let moment = queue.shift(); moment; moment = queue.shift()) {
      const { waits, opened } = moment;
      for (const { type, key } of opened) {
        const wait = waits.get(key);
        const times = seen.get(type) ?? 0;
        if (!wait || times === 3) continue;
        seen.set(type, times + 1);
        const command = { type: 'PassDeadline', data: wait.data };
        const scenario = scenarioAt(moment).when(command, { at: later(wait.dueAt, -1) });
        expect(scenario.types, `${type}, too early`).toEqual([]);
        scenario.when(command, { at: wait.dueAt });
        expect(scenario.types, `${type}, in time`).not.toEqual([]);
        const next = goOn(moment, scenario.events);
        expect(next.waits.get(key), type).not.toEqual(wait);
        queue.push(next);
      }
    }
    const declared = Object.values(DEADLINES).flatMap(({ opens }) => Object.keys(opens));
    expect([...seen.keys()].sort()).toEqual(declared.sort());
  });
});
