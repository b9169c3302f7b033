import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { type OpenDeadline, Timers } from './timers.ts';
import type { Outgoing } from './transport.ts';

function world(
  options: {
    openDeadlines?: () => Promise<OpenDeadline[]>;
    failures?: number;
    isMet?: (id: string) => boolean;
  } = {},
) {
  const clock = new VirtualClock();
  const sent: { at: number; message: Outgoing }[] = [];
  let failures = options.failures ?? 0;
  const start = clock.now();
  const timers = new Timers({
    clock,
    transport: {
      publish: async (message) => {
        if (failures-- > 0) throw new Error('broker away');
        sent.push({ at: clock.now() - start, message });
      },
    },
    openDeadlines: options.openDeadlines ?? (async () => []),
    owns: (id) => id !== 'foreign',
    isMet: (to) => options.isMet?.(to.id) ?? false,
    onLog: () => {},
  });
  const at = (ms: number) => new Date(start + ms).toISOString();
  const add = (id: string, ms: number) =>
    timers.add({
      to: { kind: 'query', id },
      dueAt: at(ms),
      command: { type: 'PassDeadline', data: { id } },
      correlationId: 'c',
      causationId: 'e',
    });
  const deadline = (id: string, ms: number): OpenDeadline => ({
    kind: 'query',
    id,
    dueAt: at(ms),
    command: { type: 'PassDeadline', data: { id } },
  });
  return { clock, timers, sent, add, deadline };
}

describe('timers', () => {
  it('send each command at its time, in any order of adding', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 60 }), async (dues) => {
        const { clock, timers, sent, add } = world();
        for (const [index, due] of dues.entries()) add(`q${index}`, due);
        await clock.advance(100_001);
        expect(sent.map(({ at }) => at)).toEqual([...dues].sort((a, b) => a - b));
        expect(timers.size).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('do not send a command for which an actor in memory would record nothing', async () => {
    const { clock, timers, sent, add } = world({ isMet: (id) => id === 'met' });
    add('met', 10);
    add('open', 10);
    await clock.advance(20);
    expect(sent.map(({ message }) => message.target)).toEqual([
      { kind: 'command', to: { kind: 'query', id: 'open' } },
    ]);
    expect(timers.size).toBe(0);
  });

  it('keep the correlation and cause of the event that set them', async () => {
    const { clock, sent, add } = world();
    add('q1', 10);
    await clock.advance(20);
    expect(sent[0]?.message).toMatchObject({
      correlationId: 'c',
      causationId: 'e',
      target: { kind: 'command', to: { kind: 'query', id: 'q1' } },
    });
  });

  it('take over open deadlines of their actors from the projections, at a sweep and every 10 s', async () => {
    const open: OpenDeadline[] = [];
    const { clock, timers, sent, deadline } = world({ openDeadlines: async () => open });
    open.push(deadline('q1', -5_000), deadline('foreign', 0));
    await timers.sweep();
    await clock.advance(1);
    expect(sent).toHaveLength(1);
    open.length = 0;
    open.push(deadline('q2', 3_000));
    await clock.advance(10_000);
    expect(sent).toHaveLength(2);
  });

  it('keep a timer once, from its effect or from a sweep, with the same message id everywhere', async () => {
    const one = world();
    const other = world({ openDeadlines: async () => [other.deadline('q1', 50)] });
    one.add('q1', 50);
    one.add('q1', 50);
    other.add('q1', 50);
    await other.timers.sweep();
    await one.clock.advance(100);
    await other.clock.advance(100);
    expect(one.sent).toHaveLength(1);
    expect(other.sent).toHaveLength(1);
    expect(one.sent[0]?.message.messageId).toBe(other.sent[0]?.message.messageId);
  });

  it('try again when the broker or the projection is away', async () => {
    let away = true;
    const { clock, timers, sent, add, deadline } = world({
      failures: 2,
      openDeadlines: async () => {
        if (away) throw new Error('projection away');
        return [deadline('q2', 0)];
      },
    });
    await timers.sweep();
    away = false;
    add('q1', 10);
    await clock.advance(5_000);
    expect(sent.map(({ at }) => at)).toEqual([2_010]);
    await clock.advance(6_000);
    expect(sent).toHaveLength(2);
  });

  it('send nothing once they are stopped', async () => {
    const { clock, timers, sent, add } = world();
    add('q1', 10);
    timers.stop();
    add('q2', 10);
    await clock.advance(60_000);
    expect(sent).toEqual([]);
  });
});
