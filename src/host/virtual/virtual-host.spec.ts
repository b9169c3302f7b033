import { describe, expect, it } from 'vitest';
import {
  type Ledger,
  type LedgerCommand,
  ledgerDefinition,
  orderFor,
  REMIND_AFTER_MS,
} from '../../../test/support/ledger.ts';
import type { ActorDefinition, Effect } from '../../actors/actor.ts';
import { canonicalJson, verifyChain } from '../../events/envelope.ts';
import type { WorkOrder } from '../../events/node.ts';
import type { StoredEvent } from '../../eventstore/port.ts';
import { givenFor } from '../given.ts';
import { type Answered, VirtualHost, type VirtualHostOptions, VirtualRunError } from './virtual-host.ts';

const START = '2030-01-01T00:00:00.000Z';
const ledger: ActorDefinition = ledgerDefinition;

interface World {
  readonly host: VirtualHost;
  readonly events: StoredEvent[];
  readonly replies: string[];
  readonly refused: string[];
}

function world(change: Partial<VirtualHostOptions> = {}): World {
  const events: StoredEvent[] = [];
  const replies: string[] = [];
  const refused: string[] = [];
  const host = new VirtualHost({
    definitions: [ledger],
    startAt: START,
    reads: () => undefined,
    onEvent: (event) => events.push(event),
    onReply: (subject) => replies.push(subject),
    onRefused: ({ command }, reason) => refused.push(`${command.type}: ${reason}`),
    work: () => {
      throw new Error('no work order is expected');
    },
    ...change,
  });
  return { host, events, replies, refused };
}

function send(host: VirtualHost, id: string, command: LedgerCommand, dueMs?: number): void {
  const key = 'transferId' in command.data ? command.data.transferId : command.data.how;
  host.send({ kind: 'account', id }, command, `${command.type} ${key}`, dueMs);
}

function transfer(host: VirtualHost, number: number, from: string, to: string, dueMs?: number): void {
  send(host, from, { type: 'Send', data: { transferId: `${from}.${number}`, to, amount: 1 } }, dueMs);
}

function deposit(host: VirtualHost, id: string, amount = 10): void {
  send(host, id, { type: 'Deposit', data: { transferId: `${id}.deposit`, amount } });
}

/** The whole history as text. */
function linesOf(events: readonly StoredEvent[]): readonly string[] {
  return events.map((event) => canonicalJson(event));
}

function balances(host: VirtualHost, ids: readonly string[]): readonly number[] {
  return ids.map((id) => {
    const head = host.head('account', id);
    return head ? (head.snapshot.context as Ledger).balance : Number.NaN;
  });
}

/** A bank in which several events share an instant. */
function opening(host: VirtualHost): void {
  for (const id of ['a', 'b', 'c']) deposit(host, id);
}

function business(host: VirtualHost, first: number): void {
  for (let number = first; number < first + 5; number += 1) {
    transfer(host, number, 'a', 'b');
    transfer(host, number, 'b', 'c', host.now + (number % 3));
    transfer(host, number, 'c', 'a', host.now + 1);
  }
}

/**
 * An actor that sends a question to a model for each `Deposit`, and deposits the answer: the ledger with
 * inference.
 */
const thinker: ActorDefinition = {
  ...ledger,
  react(event, snapshot): readonly Effect[] {
    const { transferId, device } = event.data as { transferId: string; device: string | null };
    return event.type === 'Deposited' && device === null
      ? [{ kind: 'work', device: 'laptop', body: orderFor(transferId) }]
      : ledger.react(event, snapshot).filter((effect) => effect.kind !== 'work');
  },
};

function answerTo({ taskId }: WorkOrder, afterMs: number): Answered {
  const data = { transferId: `${taskId}-answer`, amount: 1 };
  return { to: { kind: 'account', id: 'a' }, command: { type: 'Deposit', data }, afterMs };
}

describe('a host in virtual time', () => {
  it('carries out a transfer, one millisecond per hop, with valid hash chains', async () => {
    const { host, events, replies } = world();
    deposit(host, 'a');
    transfer(host, 1, 'a', 'b');
    await host.runUntilQuiet();

    expect(events.map(({ type, stream, created }) => `${created.slice(17)} ${stream} ${type}`)).toEqual([
      '00.000Z credit-a Deposited',
      '00.000Z credit-a DepositStamped',
      '00.000Z credit-a Sent',
      '00.001Z credit-b Received',
      '00.002Z credit-a Confirmed',
    ]);
    expect(events.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
    expect(balances(host, ['a', 'b'])).toEqual([9, 1]);
    expect(replies).toEqual(['_INBOX.ledger.a.1']);
    expect(await verifyChain(events)).toEqual({ ok: true, events: 5 });
  });

  it('takes draws and ids from the message only, as a live host does', async () => {
    const { host, events } = world();
    deposit(host, 'a');
    await host.runUntilQuiet();
    const message = { messageId: 'Deposit a.deposit', device: null };
    const given = givenFor(message, START, () => undefined);
    expect(events[1]?.data).toMatchObject({ stamp: given.id('stamp'), draw: given.draw('stamp') });
  });

  it('fires a timer when it is due and not earlier', async () => {
    // No actor receives the commands to `b`, so `a` sends reminders again and again.
    const deaf = {
      ...ledger,
      decide: (...[command, snapshot, given]: Parameters<ActorDefinition['decide']>) =>
        command.type === 'Receive' ? [] : ledger.decide(command, snapshot, given),
    };
    const { host, events } = world({ definitions: [deaf] });
    deposit(host, 'a');
    transfer(host, 1, 'a', 'b');
    await host.runUntilQuiet();
    const start = Date.parse(START);
    expect(host.now).toBe(start + 1);
    await host.advanceTo(start + REMIND_AFTER_MS - 1);
    expect(events.filter(({ type }) => type === 'Reminded')).toEqual([]);
    await host.advanceTo(start + 2 * REMIND_AFTER_MS);
    expect(events.filter(({ type }) => type === 'Reminded').map(({ created }) => created)).toEqual([
      '2030-01-01T00:00:02.000Z',
      '2030-01-01T00:00:04.000Z',
    ]);
    expect(host.now).toBe(start + 2 * REMIND_AFTER_MS);
  });

  it('records nothing for a deadline that was met, and removes its timer when it is due', async () => {
    const { host, events } = world();
    deposit(host, 'a');
    transfer(host, 1, 'a', 'b');
    await host.runUntilQuiet();
    const before = events.length;
    expect(host.figures.timers).toBe(1);
    await host.advanceTo(host.now + REMIND_AFTER_MS);
    expect(events.length).toBe(before);
    expect(host.figures.timers).toBe(0);
  });

  it('gives the same history byte for byte in a second run, and with commands encoded as on the wire', async () => {
    const run = async (change: Partial<VirtualHostOptions>) => {
      const { host, events } = world(change);
      opening(host);
      business(host, 0);
      await host.runUntilQuiet();
      return linesOf(events);
    };
    const lines = await run({});
    expect(lines.length).toBeGreaterThan(45);
    expect(await run({})).toEqual(lines);
    expect(await run({ strict: true })).toEqual(lines);
  });

  it('never goes back in time, and refuses a command that its actor cannot read', async () => {
    const { host } = world();
    await host.advanceTo(host.now + 10);
    await expect(host.advanceTo(host.now - 1)).rejects.toThrow(RangeError);
    expect(() => transfer(host, 1, 'a', 'b', host.now - 1)).toThrow(/never goes back/);
    expect(() => host.send({ kind: 'account', id: 'a' }, { type: 'Deposit', data: {} }, 'm')).toThrow(
      /transferId/,
    );
    expect(() => host.send({ kind: 'node', id: 'a' }, { type: 'Deposit', data: {} }, 'm')).toThrow(
      /no actor of kind "node"/,
    );
    expect(() => world({ hopMs: 0 })).toThrow(/at least one whole millisecond/);
    expect(() => world({ startAt: 'soon' })).toThrow(/"soon" is not a time/);
  });

  it('continues after a refusal, but ends at a bug and says where', async () => {
    const { host, events, refused } = world();
    transfer(host, 1, 'a', 'b');
    deposit(host, 'a');
    await host.runUntilQuiet();
    expect(refused).toEqual(['Send: only 0 of 1 coins are there']);
    expect(events).toHaveLength(2);

    send(host, 'a', { type: 'Misbehave', data: { how: 'throw' } });
    const failed = host.runUntilQuiet();
    await expect(failed).rejects.toThrow(VirtualRunError);
    await expect(failed).rejects.toThrow(
      /Misbehave to account a at 2030-.* \(after event 2\) failed: TypeError: a bug in decide/,
    );
    expect(events).toHaveLength(2);
  });

  it('stops between two messages when the signal aborts', async () => {
    const { host, events } = world();
    opening(host);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(host.runUntilQuiet(stop.signal)).rejects.toThrow('enough');
    expect(events).toEqual([]);
    await host.runUntilQuiet();
    expect(events).toHaveLength(6);
  });
});

describe('inference in virtual time', () => {
  async function run(work: VirtualHostOptions['work'], inFlight = 64) {
    const { host, events } = world({ definitions: [thinker], work, inFlight });
    for (let number = 0; number < 20; number += 1) {
      send(host, 'a', { type: 'Deposit', data: { transferId: `q${number}`, amount: 1 } });
    }
    // Other commands are handled while the models run.
    send(host, 'b', { type: 'Deposit', data: { transferId: 'late', amount: 1 } }, host.now + 6);
    await host.runUntilQuiet();
    return { lines: linesOf(events), events };
  }
  const afterMs = ({ taskId }: WorkOrder) => 1 + (taskId.length % 3) * 5;
  const atOnce = (order: WorkOrder) => answerTo(order, afterMs(order));

  it('is answered after its virtual time, by the device that ran it', async () => {
    const { events } = await run(atOnce);
    const answers = events.filter(({ data }) => data.device === 'laptop');
    expect(answers).toHaveLength(21);
    // `q7` has two letters and takes 11 ms, `q12` has three and takes 1 ms; `late` begins at 6 ms and takes 6.
    expect(answers.map(({ data, created }) => `${created.slice(20, 23)} ${data.transferId}`)).toEqual([
      ...Array.from({ length: 10 }, (_, index) => `001 q${index + 10}-answer`),
      ...Array.from({ length: 10 }, (_, index) => `011 q${index}-answer`),
      '012 late-answer',
    ]);
  });

  it('gives the same history however long it takes in real time', async () => {
    const expected = (await run(atOnce)).lines;
    let turn = 0;
    const slowly = async (order: WorkOrder) => {
      turn += 1;
      for (let turns = (turn * 7) % 11; turns > 0; turns -= 1) await new Promise(setImmediate);
      return atOnce(order);
    };
    expect((await run(slowly)).lines).toEqual(expected);
    expect((await run((order) => (++turn % 2 === 0 ? slowly(order) : atOnce(order)))).lines).toEqual(
      expected,
    );
    expect((await run((order) => (++turn % 3 === 0 ? slowly(order) : atOnce(order)), 1)).lines).toEqual(
      expected,
    );
  });

  it('runs in parallel up to the limit', async () => {
    let inHand = 0;
    let most = 0;
    const work = async (order: WorkOrder) => {
      inHand += 1;
      most = Math.max(most, inHand);
      await new Promise(setImmediate);
      inHand -= 1;
      return atOnce(order);
    };
    await run(work, 3);
    expect(most).toBe(3);
  });

  it('ends the run when it fails, or when its duration is not a whole number of milliseconds', async () => {
    const broken = async () => {
      throw new Error('the model is gone');
    };
    await expect(run(broken)).rejects.toThrow('the model is gone');
    await expect(
      run(() => {
        throw new Error('gone at once');
      }),
    ).rejects.toThrow('gone at once');
    await expect(run((order) => answerTo(order, 0.5))).rejects.toThrow(/whole millisecond, not 0.5/);
  });
});

describe('a restored history', () => {
  async function whole() {
    const { host, events } = world();
    opening(host);
    business(host, 0);
    await host.runUntilQuiet();
    const pause = { events: events.length, at: host.at };
    business(host, 5);
    await host.runUntilQuiet();
    await host.advanceTo(host.now + 3 * REMIND_AFTER_MS);
    return { lines: linesOf(events), events, pause, balances: balances(host, ['a', 'b', 'c']) };
  }

  it('continues byte for byte as without a break when nothing was in flight', async () => {
    const { lines, events, pause } = await whole();
    const { host, events: more } = world({ startAt: pause.at });
    host.restore(events.slice(0, pause.events));
    expect(host.position).toBe(pause.events);
    business(host, 5);
    await host.runUntilQuiet();
    await host.advanceTo(host.now + 3 * REMIND_AFTER_MS);
    expect(linesOf(more)).toEqual(lines.slice(pause.events));
  });

  it('reaches the same end from any event when messages in flight are sent again', async () => {
    const { host: first, events: history } = world();
    opening(first);
    business(first, 0);
    await first.runUntilQuiet();
    for (let cut = 6; cut <= history.length; cut += 1) {
      const kept = history.slice(0, cut);
      const { host, events: more } = world({ startAt: kept.at(-1)?.created ?? START });
      host.restore(kept, { maySendAgain: () => true });
      await host.runUntilQuiet();
      const sent = kept.filter(({ type }) => type === 'Sent').length;
      const all = [...kept, ...more];
      expect(all.filter(({ type }) => type === 'Received')).toHaveLength(sent);
      expect(all.filter(({ type }) => type === 'Confirmed')).toHaveLength(sent);
      expect(await verifyChain(all)).toEqual({ ok: true, events: all.length });
    }
  });

  it('asks models again for missing answers only', async () => {
    const history: StoredEvent[] = [];
    const first = world({
      definitions: [thinker],
      onEvent: (event) => history.push(event),
      work: (order) => answerTo(order, 5),
    });
    for (const transferId of ['q1', 'q2']) {
      send(first.host, 'a', { type: 'Deposit', data: { transferId, amount: 1 } });
    }
    await first.host.runUntilQuiet();
    const cut = history.findIndex(({ data }) => data.transferId === 'q2-answer');
    const asked: WorkOrder[] = [];
    const { host, events } = world({
      definitions: [thinker],
      startAt: history[cut - 1]?.created ?? START,
      work(order) {
        asked.push(order);
        return answerTo(order, 5);
      },
    });
    host.restore(history.slice(0, cut), { maySendAgain: () => true });
    await host.runUntilQuiet();
    expect(asked).toEqual([orderFor('q2')]);
    expect(events.map(({ data }) => data.transferId)).toEqual(['q2-answer', 'q2-answer']);
  });

  it('is refused if events are missing, and ignores streams without a definition', async () => {
    const { events } = await whole();
    const { host } = world();
    expect(() => host.restore(events.filter(({ position }) => position !== 2))).toThrow(/events are missing/);
    const [event] = events;
    if (!event) throw new Error('unreachable');
    const other = world();
    other.host.restore([{ ...event, stream: 'experiment-7', position: 9 }]);
    expect(other.host.position).toBe(9);
    expect(other.host.figures.actors).toBe(0);
  });
});
