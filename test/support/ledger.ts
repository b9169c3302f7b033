import { assign, setup } from 'xstate';
import { z } from 'zod';
import { type ActorDefinition, CommandRefusedError, type Effect } from '../../src/actors/actor.ts';
import type { WorkOrder } from '../../src/events/node.ts';

/**
 * A toy actor for the specs of the host: accounts that send coins to each other. It has what real actors have:
 * natural keys, effects that come back as commands, timers, refusals, several events from one command. A
 * waiting state has a deadline. A request with a new attempt number is answered again, because a broker may
 * lose what it has acknowledged.
 */

const key = z.string().min(1);
const amount = z.int().positive();

export const ledgerCommands = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Deposit'), data: z.object({ transferId: key, amount }) }),
  z.object({ type: z.literal('Send'), data: z.object({ transferId: key, to: key, amount }) }),
  z.object({
    type: z.literal('Receive'),
    data: z.object({ transferId: key, from: key, amount, attempt: z.int() }),
  }),
  z.object({ type: z.literal('Confirm'), data: z.object({ transferId: key }) }),
  z.object({ type: z.literal('Remind'), data: z.object({ transferId: key, attempt: z.int() }) }),
  z.object({
    type: z.literal('Misbehave'),
    data: z.object({ how: z.string(), text: z.string().optional() }),
  }),
]);
export type LedgerCommand = z.infer<typeof ledgerCommands>;

export type LedgerEvent =
  | { type: 'Deposited'; data: { transferId: string; amount: number; note: string; device: string | null } }
  | { type: 'DepositStamped'; data: { transferId: string; stamp: string; draw: number } }
  | { type: 'Sent'; data: { transferId: string; to: string; amount: number; dueAt: string } }
  | { type: 'Received'; data: { transferId: string; from: string; amount: number } }
  | { type: 'ReceiptRepeated'; data: { transferId: string; from: string; attempt: number } }
  | { type: 'Confirmed'; data: { transferId: string } }
  | { type: 'Reminded'; data: { transferId: string; attempt: number; dueAt: string } }
  | { type: 'Unknown'; data: { text: string } };

export interface Ledger {
  readonly balance: number;
  /** Natural keys of what has happened: `deposit:…`, `sent:…`, `received:…`, `confirmed:…` … */
  readonly happened: Readonly<Record<string, true>>;
  readonly unconfirmed: Readonly<Record<string, { to: string; amount: number; attempt: number }>>;
}

/**
 * An unconfirmed transfer is sent again after this time, in milliseconds. Its id begins with the sender and a
 * dot.
 */
export const REMIND_AFTER_MS = 2_000;

function mark(context: Ledger, natural: string, change: Partial<Ledger> = {}): Partial<Ledger> {
  return { ...change, happened: { ...context.happened, [natural]: true } };
}

export const ledgerMachine = setup({
  types: { context: {} as Ledger, events: {} as LedgerEvent, input: {} as { id: string } },
}).createMachine({
  id: 'ledger',
  context: { balance: 0, happened: {}, unconfirmed: {} },
  initial: 'open',
  states: {
    open: {
      on: {
        Deposited: {
          actions: assign(({ context, event: { data } }) =>
            mark(context, `deposit:${data.transferId}`, { balance: context.balance + data.amount }),
          ),
        },
        DepositStamped: {
          actions: assign(({ context, event: { data } }) => mark(context, `stamp:${data.transferId}`)),
        },
        Sent: {
          guard: ({ context, event }) => context.balance >= event.data.amount,
          actions: assign(({ context, event: { data } }) =>
            mark(context, `sent:${data.transferId}`, {
              balance: context.balance - data.amount,
              unconfirmed: {
                ...context.unconfirmed,
                [data.transferId]: { to: data.to, amount: data.amount, attempt: 0 },
              },
            }),
          ),
        },
        Received: {
          actions: assign(({ context, event: { data } }) =>
            mark(context, `received:${data.transferId}`, { balance: context.balance + data.amount }),
          ),
        },
        Confirmed: {
          actions: assign(({ context, event: { data } }) => {
            const { [data.transferId]: _done, ...unconfirmed } = context.unconfirmed;
            return mark(context, `confirmed:${data.transferId}`, { unconfirmed });
          }),
        },
        ReceiptRepeated: {
          actions: assign(({ context, event: { data } }) =>
            mark(context, `repeated:${data.transferId}:${data.attempt}`),
          ),
        },
        Reminded: {
          guard: ({ context, event }) => context.unconfirmed[event.data.transferId] !== undefined,
          actions: assign(({ context, event: { data } }) => {
            const open = context.unconfirmed[data.transferId] ?? { to: '', amount: 0, attempt: 0 };
            const reminded = { ...open, attempt: data.attempt };
            return { unconfirmed: { ...context.unconfirmed, [data.transferId]: reminded } };
          }),
        },
      },
    },
  },
});

export const ledgerDefinition: ActorDefinition<typeof ledgerMachine, LedgerCommand, LedgerEvent, unknown> = {
  kind: 'account',
  category: 'credit',
  machine: ledgerMachine,
  commands: ledgerCommands,

  decide(command, { context }, given) {
    const { happened, balance } = context;
    switch (command.type) {
      case 'Deposit': {
        const { transferId, amount } = command.data;
        if (happened[`deposit:${transferId}`]) return [];
        return [
          { type: 'Deposited', data: { transferId, amount, note: given.at, device: given.device } },
          {
            type: 'DepositStamped',
            data: { transferId, stamp: given.id('stamp'), draw: given.draw('stamp') },
          },
        ];
      }
      case 'Send': {
        const { transferId, to, amount } = command.data;
        if (happened[`sent:${transferId}`]) return [];
        if (balance < amount) throw new CommandRefusedError(`only ${balance} of ${amount} coins are there`);
        return [{ type: 'Sent', data: { transferId, to, amount, dueAt: later(given.at) } }];
      }
      case 'Receive': {
        const { transferId, from, amount, attempt } = command.data;
        if (!happened[`received:${transferId}`]) {
          return [{ type: 'Received', data: { transferId, from, amount } }];
        }
        if (attempt === 0 || happened[`repeated:${transferId}:${attempt}`]) return [];
        return [{ type: 'ReceiptRepeated', data: { transferId, from, attempt } }];
      }
      case 'Confirm': {
        if (happened[`confirmed:${command.data.transferId}`]) return [];
        return [{ type: 'Confirmed', data: command.data }];
      }
      case 'Remind': {
        const { transferId, attempt } = command.data;
        if (context.unconfirmed[transferId]?.attempt !== attempt) return [];
        return [{ type: 'Reminded', data: { transferId, attempt: attempt + 1, dueAt: later(given.at) } }];
      }
      case 'Misbehave':
        return misbehave(command.data.how, command.data.text ?? '');
    }
  },

  react(event, { context }): Effect[] {
    switch (event.type) {
      case 'Sent':
      case 'Reminded': {
        const { transferId, dueAt } = event.data;
        const open = context.unconfirmed[transferId];
        if (!open) return [];
        const { to, amount, attempt } = open;
        const [from = ''] = transferId.split('.');
        return [
          command(to, { type: 'Receive', data: { transferId, from, amount, attempt } }),
          { kind: 'timer', dueAt, command: { type: 'Remind', data: { transferId, attempt } } },
        ];
      }
      case 'Received':
      case 'ReceiptRepeated': {
        const { transferId, from } = event.data;
        return [command(from, { type: 'Confirm', data: { transferId } })];
      }
      case 'Confirmed':
        return [{ kind: 'reply', subject: `_INBOX.ledger.${event.data.transferId}`, body: event.data }];
      case 'Deposited':
        return event.data.transferId.startsWith('unpayable')
          ? [{ kind: 'work', device: 'no device', body: orderFor(event.data.transferId) }]
          : [];
      default:
        return [];
    }
  },
};

/** A work order with the transfer as its task. */
export function orderFor(taskId: string): WorkOrder {
  return {
    node: 'a',
    taskId,
    prompt: 'How much?',
    system: '',
    models: ['one', 'other'],
    params: { temperature: 0, topP: 1, topK: 0, contextTokens: 64, maxTokens: 1 },
    seed: 0,
    dueAt: '2030-01-01T00:01:00.000Z',
  };
}

function command(id: string, content: LedgerCommand): Effect {
  return { kind: 'command', to: { kind: 'account', id }, command: content };
}

function later(at: string): string {
  return new Date(Date.parse(at) + REMIND_AFTER_MS).toISOString();
}

function misbehave(how: string, text: string): LedgerEvent[] {
  switch (how) {
    case 'throw':
      throw new TypeError('a bug in decide');
    case 'unknown event':
      return [{ type: 'Unknown', data: { text } }];
    case 'guarded event':
      return [{ type: 'Sent', data: { transferId: 'x', to: 'y', amount: 1e12, dueAt: 'never' } }];
    case 'no JSON':
      return [{ type: 'Deposited', data: { transferId: 'x', amount: Number.NaN, note: '', device: null } }];
    case 'no time':
      return [{ type: 'Sent', data: { transferId: 'z', to: 'y', amount: 0, dueAt: 'never' } }];
    case 'huge':
      return [
        {
          type: 'Deposited',
          data: { transferId: text, amount: 1, note: 'x'.repeat(2 * 1024 * 1024), device: null },
        },
      ];
    case 'big':
      return [
        {
          type: 'Deposited',
          data: { transferId: text, amount: 1, note: 'x'.repeat(300 * 1024), device: null },
        },
      ];
    default:
      return [];
  }
}
