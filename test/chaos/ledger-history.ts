import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import type { OpenDeadline } from '../../src/host/timers.ts';

/** The balance of the toy network, folded from its history. */

export interface Transfers {
  readonly sent: ReadonlySet<string>;
  readonly received: ReadonlySet<string>;
  readonly confirmed: ReadonlySet<string>;
  readonly deposited: ReadonlySet<string>;
  /** Sent and unconfirmed amounts, by transfer. */
  readonly open: ReadonlyMap<string, OpenDeadline>;
  /** Coins of all accounts together, and the sum of all deposits. */
  readonly coins: number;
  readonly brought: number;
}

export async function transfersOf(
  events: AsyncIterable<StoredEvent> | Iterable<StoredEvent>,
): Promise<Transfers> {
  const sent = new Set<string>();
  const received = new Set<string>();
  const confirmed = new Set<string>();
  const deposited = new Set<string>();
  const open = new Map<string, OpenDeadline>();
  let coins = 0;
  let brought = 0;
  for await (const event of events) {
    const transferId = String(event.data.transferId);
    const amount = Number(event.data.amount ?? 0);
    switch (event.type) {
      case 'Deposited':
        deposited.add(transferId);
        coins += amount;
        brought += amount;
        break;
      case 'Sent':
        sent.add(transferId);
        coins -= amount;
        open.set(transferId, deadlineOf(event));
        break;
      case 'Reminded':
        if (open.has(transferId)) open.set(transferId, deadlineOf(event));
        break;
      case 'Received':
        received.add(transferId);
        coins += amount;
        break;
      case 'Confirmed':
        confirmed.add(transferId);
        open.delete(transferId);
    }
  }
  return { sent, received, confirmed, deposited, open, coins, brought };
}

export async function openDeadlines(store: EventStore): Promise<OpenDeadline[]> {
  const { open } = await transfersOf(store.readAll({ prefixes: ['credit-'] }));
  return [...open.values()];
}

function deadlineOf({ stream, data }: StoredEvent): OpenDeadline {
  const { transferId, dueAt, attempt = 0 } = data;
  return {
    kind: 'account',
    id: stream.slice('credit-'.length),
    dueAt: String(dueAt),
    command: { type: 'Remind', data: { transferId, attempt } },
  };
}
