import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import type { OpenDeadline } from '../../src/host/timers.ts';

/** What the toy's history says, folded as a projection would. */

export interface Transfers {
  readonly sent: ReadonlyMap<string, StoredEvent>;
  readonly received: ReadonlySet<string>;
  readonly confirmed: ReadonlySet<string>;
  readonly deposited: ReadonlySet<string>;
  /** Coins of all accounts together, and how many were ever deposited. */
  readonly coins: number;
  readonly brought: number;
}

export async function transfersOf(
  events: AsyncIterable<StoredEvent> | Iterable<StoredEvent>,
): Promise<Transfers> {
  const sent = new Map<string, StoredEvent>();
  const received = new Set<string>();
  const confirmed = new Set<string>();
  const deposited = new Set<string>();
  let coins = 0;
  let brought = 0;
  for await (const event of events) {
    const id = String(event.data.transferId);
    const amount = Number(event.data.amount ?? 0);
    switch (event.type) {
      case 'Deposited':
        deposited.add(id);
        coins += amount;
        brought += amount;
        break;
      case 'Sent':
        sent.set(id, event);
        coins -= amount;
        break;
      case 'Received':
        received.add(id);
        coins += amount;
        break;
      case 'Confirmed':
        confirmed.add(id);
    }
  }
  return { sent, received, confirmed, deposited, coins, brought };
}

export async function openDeadlines(store: EventStore): Promise<OpenDeadline[]> {
  const { sent, confirmed } = await transfersOf(store.readAll({ prefixes: ['credit-'] }));
  return [...sent]
    .filter(([transferId]) => !confirmed.has(transferId))
    .map(([transferId, event]) => ({
      kind: 'account',
      id: event.stream.slice('credit-'.length),
      dueAt: String(event.data.dueAt),
      command: { type: 'Remind', data: { transferId } },
    }));
}
