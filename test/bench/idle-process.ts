import { createActor } from 'xstate';
import { node } from '../../src/actors/node/index.ts';
import { encodeJson } from '../../src/events/envelope.ts';
import type { NodeCommand } from '../../src/events/node.ts';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore, NewEvent, StoredEvent } from '../../src/eventstore/port.ts';
import { Host } from '../../src/host/host.ts';
import type { Delivery, Transport } from '../../src/host/transport.ts';
import { SPECIES, seedGenome } from '../../src/inference/species.ts';

/** `xstate`: createActor and one event. The others stand in `idle.ts`. */
export type IdleKind = 'xstate' | 'rehydrated' | 'born';

export interface IdleMeasured {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly ms: number;
}

type BearNode = Extract<NodeCommand, { type: 'BearNode' }>;

/** Code is compiled and structures are made by so many; what comes after is the Nodes' own. */
const WARM_UP = 500;

const AT = '2030-01-01T00:00:00.000Z';

async function measure(of: IdleKind, nodes: number): Promise<IdleMeasured> {
  const make = makers[of]();
  await make(0, WARM_UP);
  const before = settledMemory();
  const began = performance.now();
  await make(WARM_UP, WARM_UP + nodes);
  const ms = performance.now() - began;
  const after = settledMemory();
  return { rssBytes: after.rss - before.rss, heapBytes: after.heapUsed - before.heapUsed, ms };
}

function settledMemory(): NodeJS.MemoryUsage {
  if (!global.gc) throw new Error('This process needs --expose-gc.');
  for (let pass = 0; pass < 4; pass += 1) global.gc();
  return process.memoryUsage();
}

/** The birth of a Node, with its own texts, as they come from a store. */
function birth(index: number): BearNode['data'] {
  const species = SPECIES[index % SPECIES.length];
  if (!species) throw new Error('There are no species.');
  const data: BearNode['data'] = {
    node: `${species.specialization}-${index}`,
    genome: seedGenome(species, 'mid'),
    species: species.id,
    device: `device-${index % 100}`,
    owner: 'owner',
    cluster: species.specialization,
    generation: 0,
    parents: [],
    cause: 'genesis',
    mutations: [],
    saga: { kind: 'genesis', id: 'main' },
  };
  return JSON.parse(JSON.stringify(data));
}

type Make = (from: number, to: number) => Promise<void>;

const makers: Readonly<Record<IdleKind, () => Make>> = {
  xstate() {
    const actors: unknown[] = [];
    return async (from, to) => {
      for (let index = from; index < to; index += 1) {
        const data = { ...birth(index), at: AT };
        const actor = createActor(node.machine, { input: { id: data.node } });
        actor.start();
        actor.send({ type: 'NodeBorn', data });
        actors.push(actor);
      }
    };
  },
  rehydrated: () =>
    behindHost(storeOfBirths(), (index) => ({ type: 'PassDeadline', data: { taskId: `none-${index}` } })),
  born: () => behindHost(createMemoryEventStore(), (index) => ({ type: 'BearNode', data: birth(index) })),
};

/** Every Node gets one command through a host that keeps them all. */
function behindHost(store: EventStore, commandFor: (index: number) => NodeCommand): Make {
  const transport: Transport = {
    async publish() {},
    async recordDead(letter) {
      throw new Error(`A command to ${letter.kind} ${letter.id} was given up: ${letter.reason}`);
    },
  };
  const host = new Host({
    definitions: [node],
    store,
    transport,
    reads: () => null,
    startTimer: () => {},
    onLog: (_level, message) => process.stderr.write(`${message}\n`),
    maxActors: Number.POSITIVE_INFINITY,
  });
  return async (from, to) => {
    for (let index = from; index < to; index += 1) {
      host.receive(deliveryTo(birth(index).node, commandFor(index), `message-${index}`));
      if (index % 1000 === 0) await host.settled();
    }
    await host.settled();
    if (host.size !== to) throw new Error(`${host.size} of ${to} Nodes are in memory.`);
  };
}

function deliveryTo(id: string, command: NodeCommand, messageId: string): Delivery {
  return {
    kind: 'node',
    id,
    device: null,
    headers: { messageId, correlationId: messageId, causationId: messageId },
    body: encodeJson(command),
    sentAt: Date.parse(AT),
    attempt: 1,
    ack() {},
    nak: () => process.stderr.write(`${messageId} was put back\n`),
    term: (reason) => process.stderr.write(`${messageId}: ${reason}\n`),
    working() {},
  };
}

/** Holds nothing: every Node's stream is its birth, written when it is read. */
function storeOfBirths(): EventStore {
  async function* readStream(stream: string, { from = 0 } = {}): AsyncGenerator<StoredEvent> {
    if (from > 0) return;
    const index = Number(stream.slice(stream.lastIndexOf('-') + 1));
    const event: NewEvent = {
      id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      type: 'NodeBorn',
      data: { ...birth(index), at: AT },
      metadata: {
        schemaVersion: 1,
        messageId: `birth-${index}`,
        causationId: 'genesis',
        correlationId: 'genesis',
        prevHash: '0'.repeat(64),
      },
    };
    yield { ...event, stream, revision: 0, position: index + 1, created: AT };
  }
  return { ...createMemoryEventStore(), readStream };
}

const [kind, count] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await measure(kind as IdleKind, Number(count))));
