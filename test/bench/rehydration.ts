import { join } from 'node:path';
import { type AnyStateMachine, createActor } from 'xstate';
import type { DomainEvent } from '../../src/actors/actor.ts';
import { node } from '../../src/actors/node/index.ts';
import type { NodeContext } from '../../src/actors/node/machine.ts';
import { encodeJson } from '../../src/events/envelope.ts';
import type { NodeCommand, NodeEvent } from '../../src/events/node.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { Host } from '../../src/host/host.ts';
import { rehydrate } from '../../src/host/rehydrate.ts';
import { SPECIES, seedGenome } from '../../src/inference/species.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { interleaved, ratios, spread, timed } from './statistics.ts';

const REPETITIONS = 5;
const NODE = 'mathematical-01';
/** How often the Node gets a task, in seconds: nearly idle, and as busy as it can be. */
const TASK_EVERY_SECONDS = [30, 1];
/** Events of one append when the history is copied to a store. */
const CHUNK = 200;

export const rehydration: Benchmark = {
  name: 'rehydration',
  title: 'Rehydrating an actor',
  about:
    'Events per second when a Node is brought back from its first event in one pass, without a snapshot (`rehydrate` ' +
    'of `src/host`: contiguous revisions, validated metadata, an XState guard for each event), from memory and from ' +
    'the embedded store; beside XState alone and a plain `switch` over the same events. The history is a Node’s own ' +
    '(task accepted, two answers, vote, performance), once for a Node with a task every 30 s and once for one with a ' +
    'task every second, whose state remembers more. Ratios are to the `switch`. Aim: 20,000 events/s.',
  unit: 'events',
  sizes: [500, 5_000, 50_000],
  least: 100,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const server = await launchEmbeddedEventStore({ file: join(folder, 'server.sqlite') });
  const embedded = connectEventStore(server.connectionString);
  const rows: Row[] = [];
  try {
    for (const seconds of TASK_EVERY_SECONDS) {
      log(`a Node with a task every ${seconds} s`);
      const id = `${NODE}-${seconds}`;
      const history = await historyOf(id, size, seconds);
      const stream = `node-${id}`;
      await copy(history, embedded, stream);
      const now = Date.parse(history.at(-1)?.created ?? '');
      const samples = await interleaved(REPETITIONS, {
        switch: async () => perSecond(size, () => foldBySwitch(history)),
        'XState alone': async () => perSecond(size, () => foldByXState(history)),
        'rehydrate, events in memory': () =>
          perSecond(size, () => rehydrated(id, arrayStore(history), now, size)),
        'rehydrate, embedded store': () => perSecond(size, () => rehydrated(id, embedded, now, size)),
      });
      const base = samples.switch ?? [];
      for (const [what, rates] of Object.entries(samples)) {
        rows.push({
          'a task every, s': seconds,
          events: size,
          what,
          'events/s': spread(rates),
          'to the switch': ratios(rates, base),
          'aim, events/s': what.startsWith('rehydrate') ? 20_000 : '',
        });
      }
    }
  } finally {
    await embedded.close();
    await server.stop();
  }
  return [{ title: 'Folding', rows }];
}

async function perSecond(size: number, fold: () => unknown): Promise<number> {
  return (1000 * size) / (await timed(fold));
}

async function rehydrated(id: string, store: EventStore, now: number, size: number): Promise<void> {
  const { head } = await rehydrate(node, id, store, now);
  if (head.revision !== size - 1) throw new Error(`It stands at revision ${head.revision}, not ${size - 1}.`);
}

function foldByXState(history: readonly StoredEvent[]): unknown {
  const machine: AnyStateMachine = node.machine;
  const actor = createActor(machine, { input: { id: NODE } });
  actor.start();
  for (const { type, data } of history) actor.send({ type, data });
  actor.stop();
  return actor.getSnapshot();
}

type Folded = Pick<NodeContext, 'genome' | 'device' | 'owner' | 'cluster'> & {
  readonly open: Map<string, { readonly answers: number }>;
  readonly judged: Set<string>;
};

/** What the machine's context holds, as a plain mutable fold would keep it, without guards and without forgetting. */
function foldBySwitch(history: readonly StoredEvent[]): Folded {
  let state: Folded = {
    genome: null,
    device: '',
    owner: '',
    cluster: '',
    open: new Map(),
    judged: new Set(),
  };
  for (const recorded of history) {
    const event = recorded as DomainEvent as NodeEvent;
    switch (event.type) {
      case 'NodeBorn': {
        const { genome, device, owner, cluster } = event.data;
        state = { ...state, genome, device, owner, cluster };
        break;
      }
      case 'TaskAccepted':
        state.open.set(event.data.taskId, { answers: 0 });
        break;
      case 'ModelAnswered':
        state.open.set(event.data.taskId, { answers: (state.open.get(event.data.taskId)?.answers ?? 0) + 1 });
        break;
      case 'VoteCast':
      case 'TaskFailed':
        state.open.delete(event.data.taskId);
        break;
      case 'PerformanceRecorded':
        state.judged.add(event.data.taskId);
        break;
      case 'TaskRefused':
        break;
    }
  }
  return state;
}

/** The history of a Node that lives behind a host in virtual time. */
async function historyOf(id: string, size: number, everySeconds: number): Promise<readonly StoredEvent[]> {
  const clock = new VirtualClock();
  const store = createMemoryEventStore({ now: () => clock.now() });
  const host = new Host({
    definitions: [node],
    store,
    transport: { async publish() {}, async recordDead() {} },
    reads: () => null,
    startTimer: () => {},
    onLog: () => {},
    clock,
  });
  let messages = 0;
  const tell = async (command: NodeCommand): Promise<void> => {
    messages += 1;
    const messageId = `message-${messages}`;
    host.receive({
      kind: 'node',
      id,
      device: null,
      headers: { messageId, correlationId: messageId, causationId: messageId },
      body: encodeJson(command),
      sentAt: 0,
      attempt: 1,
      ack() {},
      nak() {},
      term(reason) {
        throw new Error(reason);
      },
      working() {},
    });
    await host.settled();
  };
  await tell(birth(id));
  // Every task leaves five events behind.
  for (let task = 0; task * 5 + 1 < size; task += 1) {
    await clock.advance(everySeconds * 1000);
    for (const command of lifeOf(`task-${task}`, clock.now())) await tell(command);
  }
  const history: StoredEvent[] = [];
  for await (const event of store.readStream(`node-${id}`, { limit: size })) history.push(event);
  return history;
}

function birth(id: string): NodeCommand {
  const [species] = SPECIES;
  if (!species) throw new Error('There are no species.');
  return {
    type: 'BearNode',
    data: {
      node: id,
      genome: seedGenome(species, 'miniature'),
      species: species.id,
      device: 'laptop',
      owner: 'owner',
      cluster: 'mathematical',
      generation: 0,
      parents: [],
      cause: 'genesis',
      mutations: [],
      saga: { kind: 'genesis', id: 'main' },
    },
  };
}

function lifeOf(taskId: string, now: number): readonly NodeCommand[] {
  const queryId = `query-of-${taskId}`;
  const answer = {
    model: 'maths-a',
    text: '15 × 23 = 345',
    logProb: -0.1,
    measured: true,
    completionTokens: 12,
    durationMs: 11,
    finish: 'stop',
  } as const;
  return [
    {
      type: 'AssignTask',
      data: {
        taskId,
        queryId,
        subtaskId: `${queryId}-s1`,
        attempt: 1,
        prompt: 'What is 15 × 23?',
        taskType: 'math.arithmetic',
        origin: { kind: 'query', id: queryId },
        dueAt: new Date(now + 60_000).toISOString(),
      },
    },
    {
      type: 'SubmitAnswers',
      data: { taskId, answers: [answer, { ...answer, model: 'maths-b' }], failure: null },
    },
    {
      type: 'RecordPerformance',
      data: {
        taskId,
        queryId,
        taskType: 'math.arithmetic',
        correct: true,
        basis: 'computed',
        answerKind: 'number',
        responseMs: 12,
      },
    },
  ];
}

async function copy(history: readonly StoredEvent[], store: EventStore, stream: string): Promise<void> {
  for (let done = 0; done < history.length; done += CHUNK) {
    const events = history
      .slice(done, done + CHUNK)
      .map(({ id, type, data, metadata }) => ({ id, type, data, metadata }));
    await store.append(stream, events, done === 0 ? 'no-stream' : done - 1);
  }
}

/** Reads from an array, and has no snapshots. */
function arrayStore(history: readonly StoredEvent[]): EventStore {
  async function* readStream(
    stream: string,
    { from = 0, limit = history.length } = {},
  ): AsyncGenerator<StoredEvent> {
    if (stream.startsWith('node-')) yield* history.slice(from, from + limit);
  }
  return { ...createMemoryEventStore(), readStream };
}
