import type { Address } from '../../src/actors/actor.ts';
import { runWorkOrder } from '../../src/agent/work.ts';
import { decodeJson } from '../../src/events/envelope.ts';
import type { EvolutionSettings } from '../../src/events/evolution.ts';
import type { GenesisCommand } from '../../src/events/genesis.ts';
import type { ActorKind, CommandOf } from '../../src/events/kinds.ts';
import { type NodeCommand, WorkOrder } from '../../src/events/node.ts';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { Host } from '../../src/host/host.ts';
import { LocalTransport } from '../../src/host/local-transport.ts';
import { Timers } from '../../src/host/timers.ts';
import type { Outgoing } from '../../src/host/transport.ts';
import type { InferenceEngine } from '../../src/inference/port.ts';
import { SPECIES, seedGenome } from '../../src/inference/species.ts';
import { deadlines } from '../../src/projections/deadlines.ts';
import { PROJECTIONS } from '../../src/projections/index.ts';
import { type LiveDevice, NetworkViewBuilder } from '../../src/projections/network-view.ts';
import { ReadModel } from '../../src/projections/read-model.ts';
import { recordedOf } from '../../src/projections/recorded.ts';
import { DEFINITIONS } from '../../src/sagas/index.ts';

export const DEVICE = 'laptop';

/** The plan of a small or full genesis, with miniature models. */
export function genesisPlan(
  nodes = 10,
  owner = 'owner',
  evolution: EvolutionSettings | null = null,
): Extract<GenesisCommand, { type: 'BeginGenesis' }> {
  const seeds = SPECIES.map((species) => ({
    cluster: species.specialization,
    name: species.name,
    specialization: species.specialization,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      node: `${species.specialization}-${String(index + 1).padStart(2, '0')}`,
      species: species.id,
      genome: seedGenome(species, 'miniature'),
      device: DEVICE,
      owner,
    })),
  }));
  return { type: 'BeginGenesis', data: { network: 'main', superCluster: 'main', seeds, evolution } };
}

/**
 * The whole network in this process without brokers: real actors, sagas and projections over an in-memory
 * store.
 */
export class LocalNetwork {
  /** What the device does with a work order. A spec may replace it. */
  work: (order: WorkOrder) => Promise<NodeCommand> = (order) => runWorkOrder(this.#engine, order);
  readonly store: EventStore = createMemoryEventStore();
  readonly model = new ReadModel(':memory:', PROJECTIONS);
  readonly log: string[] = [];
  readonly replies = new Map<string, object>();
  readonly transport: LocalTransport;
  readonly #engine: InferenceEngine;
  readonly #views = new NetworkViewBuilder();
  readonly #timers: Timers;
  readonly #stop = new AbortController();
  #count = 0;
  #viewedTo = -1;
  #waiters: (() => void)[] = [];

  constructor(engine: InferenceEngine) {
    this.#engine = engine;
    this.transport = new LocalTransport({ onMessage: (message) => this.#deliver(message) });
    this.#timers = new Timers({
      transport: this.transport,
      openDeadlines: async () =>
        [...this.model.rows(deadlines)].flatMap(([, row]) =>
          Object.values(row.waiting).map((one) => ({ kind: row.kind, id: row.id, ...one })),
        ),
      owns: () => true,
      onLog: (level, message) => this.log.push(`${level}: ${message}`),
    });
    const host = new Host({
      definitions: DEFINITIONS,
      store: this.store,
      transport: this.transport,
      reads: () => this.view(),
      startTimer: (timer) => this.#timers.add(timer),
      onLog: (level, message) => this.log.push(`${level}: ${message}`),
    });
    this.transport.attach((delivery) => host.receive(delivery));
    this.setDevices([DEVICE]);
    void this.#project();
  }

  setDevices(devices: readonly (string | LiveDevice)[]): void {
    this.#views.setDevices(
      devices.map((device) => (typeof device === 'string' ? { id: device, proximityMs: 0 } : device)),
    );
  }

  view() {
    this.#views.change(this.model.changed(this.#viewedTo, 100_000), this.model.position);
    this.#viewedTo = this.model.position;
    return this.#views.view;
  }

  send<Kind extends ActorKind>(
    to: Address<Kind>,
    command: CommandOf<Kind>,
    correlationId = `test-${this.#count}`,
  ): void {
    this.#count += 1;
    const messageId = `message-${this.#count}`;
    this.transport.send(to, command, { messageId, correlationId, causationId: messageId });
  }

  async begin(nodes = 10, evolution: EvolutionSettings | null = null): Promise<void> {
    this.send({ kind: 'genesis', id: 'main' }, genesisPlan(nodes, 'owner', evolution));
    await this.transport.emptied();
    await this.#projected();
  }

  /** Asks a question, and returns the reply that a client would get. */
  async ask(
    question: string,
    options: { queryId?: string; account?: string; timeoutMs?: number; stakes?: 'normal' | 'high' } = {},
  ): Promise<Record<string, unknown>> {
    const { queryId = `q${this.#count}`, account = 'owner', timeoutMs = 10_000, stakes = 'normal' } = options;
    const replyTo = `_INBOX.${queryId}.${this.#count}`;
    const dueAt = new Date(Date.now() + timeoutMs).toISOString();
    this.send(
      { kind: 'account', id: account },
      {
        type: 'ReserveCredits',
        data: {
          transferId: `r-${this.#count}`,
          account,
          request: { queryId, question, stakes, replyTo, dueAt },
        },
      },
      queryId,
    );
    while (!this.replies.has(replyTo)) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    await this.transport.emptied();
    await this.#projected();
    return this.replies.get(replyTo) as Record<string, unknown>;
  }

  async events(stream?: string): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for await (const event of stream ? this.store.readStream(stream) : this.store.readAll()) all.push(event);
    return all;
  }

  async close(): Promise<void> {
    this.#timers.stop();
    this.#stop.abort();
    await this.#engine.close();
  }

  #deliver({ target, body, ...ids }: Outgoing): void {
    if (target.kind === 'reply') {
      this.replies.set(target.subject, decodeJson(body) as object);
      for (const resolve of this.#waiters.splice(0)) resolve();
    } else if (target.kind === 'work') {
      const order = WorkOrder.parse(decodeJson(body));
      void this.work(order).then((submission) => {
        const messageId = `${ids.messageId}-answers`;
        const { correlationId } = ids;
        this.transport.send(
          { kind: 'node', id: order.node },
          submission,
          { messageId, correlationId, causationId: ids.messageId },
          target.device,
        );
      });
    }
  }

  /** Resolves when nothing is waiting except the end of a generation. Throws after `withinMs`. */
  async quiet(withinMs = 20_000): Promise<void> {
    const end = Date.now() + withinMs;
    const waiting = () =>
      [...this.model.rows(deadlines)].filter(([, row]) =>
        Object.keys(row.waiting).some((key) => key !== 'generation'),
      );
    while (this.transport.pending > 0 || waiting().length > 0) {
      if (Date.now() > end) throw new Error(`still waiting: ${JSON.stringify(waiting())}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await this.#projected();
    }
  }

  async #project(): Promise<void> {
    for await (const delivery of this.store.subscribe({ signal: this.#stop.signal })) {
      if (delivery.kind === 'event') this.model.apply(recordedOf(delivery.event));
      this.model.commit();
    }
  }

  async #projected(): Promise<void> {
    for await (const last of this.store.readAll({ direction: 'backwards', limit: 1 })) {
      await this.model.reached(last.position, AbortSignal.timeout(20_000));
    }
  }
}
