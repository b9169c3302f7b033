import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Delivery, EventStore, JsonObject, NewEvent, StoredEvent } from '../../src/eventstore/port.ts';
import { AppendTooLargeError, EventStoreUnavailableError } from '../../src/eventstore/port.ts';

/** The store that the contract runs against. */
export interface EventStoreFixture {
  readonly store: EventStore;
  /** Another connection to the same events, for stores that have connections. */
  readonly connectAgain?: () => EventStore;
  /**
   * Ways to stop the server, for stores whose server the fixture owns. After each, it listens at the same place
   * again.
   */
  readonly server?: {
    /** Stops it cleanly and starts it again. */
    readonly restart: () => Promise<void>;
    /** Kills it with SIGKILL and starts it again. */
    readonly killAndRestart: () => Promise<void>;
  };
  readonly close: () => Promise<void>;
}

const mebibyte = 1024 * 1024;

/**
 * What every implementation of the `EventStore` port guarantees. Streams have fresh names, so a shared server
 * can be used.
 */
export function eventStoreContract(name: string, open: () => Promise<EventStoreFixture>): void {
  describe(`the event store contract: ${name}`, () => {
    let fixture: EventStoreFixture;
    let store: EventStore;

    beforeAll(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterAll(async () => {
      await fixture?.close();
    });

    describe('appending and reading a stream', () => {
      it('returns exactly what was appended, with revisions from 0', async () => {
        const stream = freshStream();
        const events = [
          event('Asked', { text: 'Wie heißt „Ω“? 🦊', list: [1, null, true], nested: { a: '' } }),
          event('Answered', {}),
        ];
        const before = Date.now();
        const result = await store.append(stream, events, 'no-stream');
        const stored = await collect(store.readStream(stream));
        expect(stored.map(({ position, created, ...rest }) => rest)).toEqual(
          events.map((appended, revision) => ({ ...appended, stream, revision })),
        );
        expect(result).toEqual({ outcome: 'appended', revision: 1, position: stored.at(-1)?.position });
        for (const { created } of stored) {
          expect(new Date(created).toISOString()).toBe(created);
          expect(Math.abs(Date.parse(created) - before)).toBeLessThan(60_000);
        }
      });

      it('stores any JSON object unchanged', async () => {
        const stream = freshStream();
        const objects = fc.sample(fc.dictionary(fc.string(), fc.jsonValue()), { numRuns: 50, seed: 7 });
        const datas = objects.map((object): JsonObject => JSON.parse(JSON.stringify(object)));
        await store.append(
          stream,
          datas.map((data) => ({ ...event('Any', data), metadata: { copy: data } })),
          'no-stream',
        );
        const stored = await collect(store.readStream(stream));
        expect(stored.map(({ data }) => data)).toEqual(datas);
        expect(stored.map(({ metadata }) => metadata)).toEqual(datas.map((data) => ({ copy: data })));
      });

      it('reads a stream that does not exist as empty, in both directions', async () => {
        expect(await collect(store.readStream(freshStream()))).toEqual([]);
        expect(await collect(store.readStream(freshStream(), { direction: 'backwards' }))).toEqual([]);
      });

      it('reads from a revision, backwards, and up to a limit', async () => {
        const stream = freshStream();
        await store.append(stream, numbered(5), 'no-stream');
        const read = async (options: Parameters<EventStore['readStream']>[1]) =>
          (await collect(store.readStream(stream, options))).map(({ revision }) => revision);
        expect(await read({ from: 3 })).toEqual([3, 4]);
        expect(await read({ from: 1, limit: 2 })).toEqual([1, 2]);
        expect(await read({ from: 9 })).toEqual([]);
        expect(await read({ direction: 'backwards' })).toEqual([4, 3, 2, 1, 0]);
        expect(await read({ direction: 'backwards', limit: 1 })).toEqual([4]);
        expect(await read({ direction: 'backwards', from: 2 })).toEqual([2, 1, 0]);
      });

      it('lets a reader stop early', async () => {
        const stream = freshStream();
        await store.append(stream, numbered(200), 'no-stream');
        for (let i = 0; i < 20; i += 1) {
          for await (const { revision } of store.readStream(stream)) {
            expect(revision).toBe(0);
            break;
          }
        }
      });

      it('refuses invalid input', async () => {
        const stream = freshStream();
        const one = event('A');
        await expect(store.append(stream, [], 'any')).rejects.toThrow(TypeError);
        await expect(store.append('', [one], 'any')).rejects.toThrow(TypeError);
        await expect(store.append('$settings', [one], 'any')).rejects.toThrow(TypeError);
        await expect(store.append('x'.repeat(2_000), [one], 'any')).rejects.toThrow(TypeError);
        await expect(store.append(stream, [{ ...one, id: 'not-a-uuid' }], 'any')).rejects.toThrow(TypeError);
        await expect(store.append(stream, [{ ...one, type: '' }], 'any')).rejects.toThrow(TypeError);
        await expect(store.append(stream, [one], -1)).rejects.toThrow(TypeError);
        await expect(store.append(stream, [one], 0.5)).rejects.toThrow(TypeError);
        await expect(collect(store.readStream(stream, { limit: 0 }))).rejects.toThrow(TypeError);
        await expect(collect(store.readStream(stream, { from: -1 }))).rejects.toThrow(TypeError);
        await expect(collect(store.readAll({ after: 1.5 }))).rejects.toThrow(TypeError);
        expect(await collect(store.readStream(stream))).toEqual([]);
      });
    });

    describe('expected revisions', () => {
      it('allow an append only at that revision', async () => {
        const stream = freshStream();
        expect(await store.append(stream, [event('A')], 0)).toEqual(conflict(-1));
        expect(await store.append(stream, [event('A')], 'stream-exists')).toEqual(conflict(-1));
        expect(await store.append(stream, [event('A')], 'no-stream')).toMatchObject({ revision: 0 });
        expect(await store.append(stream, [event('B')], 'no-stream')).toEqual(conflict(0));
        expect(await store.append(stream, [event('B')], 0)).toMatchObject({ revision: 1 });
        expect(await store.append(stream, [event('C')], 0)).toEqual(conflict(1));
        expect(await store.append(stream, [event('C')], 7)).toEqual(conflict(1));
        expect(await store.append(stream, [event('C')], 'stream-exists')).toMatchObject({ revision: 2 });
        expect(await store.append(stream, [event('D')], 'any')).toMatchObject({ revision: 3 });
        expect((await collect(store.readStream(stream))).map(({ type }) => type)).toEqual([
          'A',
          'B',
          'C',
          'D',
        ]);
      });

      it('store all events of an append or none', async () => {
        const stream = freshStream();
        await store.append(stream, numbered(2), 'no-stream');
        expect(await store.append(stream, numbered(3), 0)).toEqual(conflict(1));
        expect(await collect(store.readStream(stream))).toHaveLength(2);
      });

      it('let exactly one of two owners succeed that decided differently about the same message', async () => {
        for (let round = 0; round < 10; round += 1) {
          const stream = freshStream();
          const other = fixture.connectAgain?.() ?? store;
          const results = await Promise.all([
            store.append(stream, [event('Decided', { by: 'first' })], 'no-stream'),
            other.append(stream, [event('Decided', { by: 'second' })], 'no-stream'),
          ]);
          if (other !== store) await other.close();
          expect(results.map(({ outcome }) => outcome).sort()).toEqual(['appended', 'conflict']);
          const winner = results[0].outcome === 'appended' ? 'first' : 'second';
          expect((await collect(store.readStream(stream))).map(({ data }) => data)).toEqual([{ by: winner }]);
        }
      });

      it('leave no gap between revisions when several writers compete', async () => {
        const stream = freshStream();
        const writer = async (by: number) => {
          for (let n = 0; n < 15; ) {
            const [last] = await collect(store.readStream(stream, { direction: 'backwards', limit: 1 }));
            const result = await store.append(stream, [event('N', { by, n })], last?.revision ?? 'no-stream');
            if (result.outcome === 'appended') n += 1;
          }
        };
        await Promise.all([0, 1, 2, 3, 4, 5].map(writer));
        const stored = await collect(store.readStream(stream));
        expect(stored.map(({ revision }) => revision)).toEqual(stored.map((_, i) => i));
        for (const by of [0, 1, 2, 3, 4, 5]) {
          const own = stored.filter(({ data }) => data.by === by).map(({ data }) => data.n);
          expect(own).toEqual(Array.from({ length: 15 }, (_, n) => n));
        }
      });
    });

    describe('the same append again', () => {
      it('is recognised by its event ids, with every kind of expected revision', async () => {
        const stream = freshStream();
        const first = numbered(2);
        const second = numbered(3);
        const firstResult = await store.append(stream, first, 'no-stream');
        const secondResult = await store.append(stream, second, 1);
        await store.append(stream, numbered(1), 4);
        expect(await store.append(stream, first, 'no-stream')).toEqual(firstResult);
        expect(await store.append(stream, second, 1)).toEqual(secondResult);
        expect(await store.append(stream, second, 'any')).toEqual(secondResult);
        expect(await store.append(stream, second, 'stream-exists')).toEqual(secondResult);
        expect(await collect(store.readStream(stream))).toHaveLength(6);
      });

      it('is stored once when both copies are in flight at the same time', async () => {
        const stream = freshStream();
        const events = numbered(2);
        const results = await Promise.all([1, 2, 3].map(() => store.append(stream, events, 'no-stream')));
        expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
        expect(await collect(store.readStream(stream))).toHaveLength(2);
      });

      it('compares ids only: other data under an old id reports success and changes nothing', async () => {
        const stream = freshStream();
        const original = event('A', { value: 1 });
        const appended = await store.append(stream, [original], 'no-stream');
        const forged = { ...original, data: { value: 2 } };
        expect(await store.append(stream, [forged], 'no-stream')).toEqual(appended);
        expect((await collect(store.readStream(stream))).map(({ data }) => data)).toEqual([{ value: 1 }]);
      });

      it('is written a second time at the current revision', async () => {
        const stream = freshStream();
        const repeated = event('A');
        await store.append(stream, [repeated], 'no-stream');
        expect(await store.append(stream, [repeated], 0)).toMatchObject({ outcome: 'appended', revision: 1 });
      });

      it('is a conflict if only a part of it is stored', async () => {
        const stream = freshStream();
        const [a, b, c] = numbered(3) as [NewEvent, NewEvent, NewEvent];
        await store.append(stream, [a, b], 'no-stream');
        expect(await store.append(stream, [a, c], 'no-stream')).toMatchObject({
          outcome: 'conflict',
          actual: 1,
        });
        expect(await store.append(stream, [a, b, c], 'no-stream')).toMatchObject({
          outcome: 'conflict',
          actual: 1,
        });
        expect(await store.append(stream, [a, c], 'any')).toMatchObject({ outcome: 'conflict', actual: 1 });
        expect(await collect(store.readStream(stream))).toHaveLength(2);
      });
    });

    describe('the size of an append', () => {
      it('may be just below 1 MiB', async () => {
        const stream = freshStream();
        const text = 'x'.repeat(mebibyte - 200);
        await store.append(stream, [event('Large', { text })], 'no-stream');
        expect((await collect(store.readStream(stream))).map(({ data }) => data)).toEqual([{ text }]);
      });

      it('may not exceed 1 MiB, in one event or in many', async () => {
        const stream = freshStream();
        const tooLarge = [event('Large', { text: 'x'.repeat(mebibyte + 1) })];
        const tooMany = Array.from({ length: 60 }, () => event('Many', { text: 'x'.repeat(100_000) }));
        await expect(store.append(stream, tooLarge, 'no-stream')).rejects.toThrow(AppendTooLargeError);
        await expect(store.append(stream, tooMany, 'no-stream')).rejects.toThrow(AppendTooLargeError);
        expect(await collect(store.readStream(stream))).toEqual([]);
        expect(await store.append(stream, numbered(1), 'no-stream')).toMatchObject({ revision: 0 });
      });
    });

    describe('all streams together', () => {
      it('have positions that grow with every event and are not consecutive', async () => {
        const prefix = freshStream();
        for (let i = 0; i < 6; i += 1) await store.append(`${prefix}-${i % 2}`, numbered(2), 'any');
        const positions = (await collect(store.readAll({ prefixes: [prefix] }))).map(
          ({ position }) => position,
        );
        expect(positions).toHaveLength(12);
        const steps = positions.slice(1).map((position, i) => position - (positions[i] ?? 0));
        expect(Math.min(...positions)).toBeGreaterThan(0);
        expect(Math.min(...steps)).toBeGreaterThan(0);
        expect(Math.max(...steps)).toBeGreaterThan(1);
      });

      it('are read by prefix, after a position, backwards and up to a limit', async () => {
        const prefix = freshStream();
        const names = ['a-1', 'b-1', 'a-2', 'c-1'];
        for (const stream of names) await store.append(`${prefix}-${stream}`, numbered(1), 'no-stream');
        const read = async (options: Parameters<EventStore['readAll']>[0]) =>
          (await collect(store.readAll(options))).map(({ stream }) => stream.slice(prefix.length + 1));
        const [first, , third] = await collect(store.readAll({ prefixes: [prefix] }));
        const prefixes = [`${prefix}-a`, `${prefix}-c`];
        expect(await read({ prefixes })).toEqual(['a-1', 'a-2', 'c-1']);
        expect(await read({ prefixes, limit: 2 })).toEqual(['a-1', 'a-2']);
        expect(await read({ prefixes, after: first?.position ?? 0 })).toEqual(['a-2', 'c-1']);
        expect(await read({ prefixes, direction: 'backwards' })).toEqual(['c-1', 'a-2', 'a-1']);
        const backwards = { direction: 'backwards', after: third?.position ?? 0 } as const;
        expect(await read({ prefixes, ...backwards })).toEqual(['a-1']);
        expect(await read({ prefixes: [prefix], direction: 'backwards', limit: 1 })).toEqual(['c-1']);
      });

      it('never show system streams', async () => {
        const stream = freshStream();
        await store.append(stream, numbered(1), 'no-stream');
        await store.keepLast(stream, 5);
        for await (const { stream: seen, type } of store.readAll()) {
          expect(seen.startsWith('$') || type.startsWith('$')).toBe(false);
        }
      });
    });

    describe('keeping only the last events of a stream', () => {
      it('hides the older ones from the stream, but not from all events, and continues the revisions', async () => {
        const stream = freshStream();
        await store.append(stream, numbered(4), 'no-stream');
        await store.keepLast(stream, 2);
        await store.keepLast(stream, 2);
        const revisions = async () =>
          (await collect(store.readStream(stream))).map(({ revision }) => revision);
        expect(await revisions()).toEqual([2, 3]);
        expect(await store.append(stream, numbered(1), 3)).toMatchObject({ revision: 4 });
        expect(await revisions()).toEqual([3, 4]);
        expect(await collect(store.readStream(stream, { direction: 'backwards', limit: 9 }))).toHaveLength(2);
        expect(await collect(store.readAll({ prefixes: [stream] }))).toHaveLength(5);
      });

      it('can be set before the first event', async () => {
        const stream = freshStream();
        await store.keepLast(stream, 1);
        expect(await collect(store.readStream(stream))).toEqual([]);
        await store.append(stream, numbered(3), 'no-stream');
        expect((await collect(store.readStream(stream))).map(({ revision }) => revision)).toEqual([2]);
      });
    });

    describe('subscribing', () => {
      it('delivers history, reports that it has caught up, continues live, and ends at the signal', async () => {
        const prefix = freshStream();
        const stop = new AbortController();
        await store.append(`${prefix}-1`, numbered(3), 'no-stream');
        const seen: string[] = [];
        for await (const delivery of store.subscribe({ prefixes: [prefix], signal: stop.signal })) {
          if (delivery.kind === 'event')
            seen.push(`${delivery.event.stream.slice(prefix.length)}@${delivery.event.revision}`);
          if (delivery.kind === 'caught-up') {
            seen.push('caught up');
            await store.append(`${prefix}-2`, numbered(2), 'no-stream');
          }
          if (seen.at(-1) === '-2@1') stop.abort();
        }
        expect(seen).toEqual(['-1@0', '-1@1', '-1@2', 'caught up', '-2@0', '-2@1']);
      });

      it('delivers the same events as reading does, once each, while they are written', async () => {
        const prefix = freshStream();
        const stop = new AbortController();
        const writing = Promise.all(
          [0, 1, 2, 3].map(async (w) => {
            for (let n = 0; n < 25; n += 1) await store.append(`${prefix}-${w}`, numbered(2), 'any');
          }),
        );
        const delivered: StoredEvent[] = [];
        for await (const delivery of store.subscribe({ prefixes: [prefix], signal: stop.signal })) {
          if (delivery.kind === 'event') delivered.push(delivery.event);
          if (delivered.length === 200) stop.abort();
        }
        await writing;
        expect(delivered).toEqual(await collect(store.readAll({ prefixes: [prefix] })));
      });

      it('resumes after a position', async () => {
        const prefix = freshStream();
        await store.append(prefix, numbered(5), 'no-stream');
        const events = await collect(store.readAll({ prefixes: [prefix] }));
        const after = events[2]?.position ?? 0;
        const deliveries = await untilCaughtUp(store, { prefixes: [prefix], after });
        expect(revisionsOf(deliveries)).toEqual([3, 4]);
      });

      it('reports positions while no event matches, and resuming from one skips nothing', async () => {
        const prefix = freshStream();
        await store.append(`${prefix}-wanted`, numbered(3), 'no-stream');
        for (let i = 0; i < 20; i += 1) await store.append(`${prefix}-noise`, numbered(10), 'any');
        await store.append(`${prefix}-wanted`, numbered(3), 2);
        const [first] = await collect(store.readAll({ prefixes: [prefix] }));
        const start = { prefixes: [`${prefix}-wanted`], after: first?.position ?? 0 };
        const deliveries = await untilCaughtUp(store, start);
        expect(revisionsOf(deliveries)).toEqual([1, 2, 3, 4, 5]);
        const checkpoints = deliveries.filter((delivery) => delivery.kind === 'checkpoint');
        expect(checkpoints.length).toBeGreaterThanOrEqual(4);
        for (const [i, delivery] of deliveries.entries()) {
          if (delivery.kind !== 'checkpoint') continue;
          const missing = revisionsOf(deliveries.slice(i));
          const resumed = await untilCaughtUp(store, { ...start, after: delivery.position });
          expect(revisionsOf(resumed)).toEqual(missing);
        }
      });

      it('waits for a slow consumer and loses nothing', async () => {
        const prefix = freshStream();
        const text = 'x'.repeat(20_000);
        for (let i = 0; i < 20; i += 1) {
          await store.append(
            prefix,
            Array.from({ length: 10 }, () => event('Bulky', { text })),
            'any',
          );
        }
        const stop = new AbortController();
        const seen: number[] = [];
        for await (const delivery of store.subscribe({ prefixes: [prefix], signal: stop.signal })) {
          if (delivery.kind !== 'event') continue;
          seen.push(delivery.event.revision);
          if (seen.length % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
          if (seen.length === 200) stop.abort();
        }
        expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i));
      });

      it('ends at once if the signal has already aborted, or aborts while nothing happens', async () => {
        expect(await collect(store.subscribe({ signal: AbortSignal.abort() }))).toEqual([]);
        const stop = new AbortController();
        const prefix = freshStream();
        for await (const delivery of store.subscribe({ prefixes: [prefix], signal: stop.signal })) {
          if (delivery.kind === 'caught-up') setTimeout(() => stop.abort(), 10);
        }
      });
    });

    it('ends its subscriptions and refuses further calls when it is closed', async () => {
      const connectAgain = fixture.connectAgain;
      // The in-memory store has only one connection, so another store takes the place of the second one.
      const other = connectAgain?.() ?? (await open()).store;
      const subscribed = collect(
        other.subscribe({ prefixes: [freshStream()], signal: new AbortController().signal }),
      );
      await other.append(freshStream(), numbered(1), 'no-stream');
      await other.close();
      await other.close();
      await subscribed;
      await expect(other.append(freshStream(), numbered(1), 'any')).rejects.toThrow(
        EventStoreUnavailableError,
      );
      await expect(collect(other.readStream(freshStream()))).rejects.toThrow(EventStoreUnavailableError);
    });

    it('continues its appends while another connection of the process closes', async (context) => {
      const { connectAgain } = fixture;
      if (connectAgain === undefined) return context.skip('the store has no connections');
      const stream = freshStream();
      let isDone = false;
      const writing = (async () => {
        for (let n = 0; n < 100; n += 1) {
          const results = await Promise.all(
            [0, 1, 2].map((w) => store.append(`${stream}-${w}`, numbered(1), 'any')),
          );
          expect(results.map(({ outcome }) => outcome)).toEqual(['appended', 'appended', 'appended']);
        }
        isDone = true;
      })();
      while (!isDone) {
        const other = connectAgain();
        await other.append(freshStream(), numbered(1), 'any');
        await other.close();
      }
      await writing;
      expect(await collect(store.readAll({ prefixes: [stream] }))).toHaveLength(300);
    });

    describe('a server that fails', () => {
      it('keeps every acknowledged event exactly once when it is killed while many write', async (context) => {
        const server = fixture.server;
        if (server === undefined) return context.skip('the fixture owns no server');
        const prefix = freshStream();
        const stop = new AbortController();
        const acknowledged = new Map<string, number>();
        const writers = Array.from({ length: 8 }, async (_, w) => {
          const stream = `${prefix}-${w}`;
          let last = -1;
          while (!stop.signal.aborted) {
            const events = numbered(1 + (last % 3 === 0 ? 2 : 0));
            const result = await store.append(stream, events, last < 0 ? 'no-stream' : last, {
              deadlineMs: 15_000,
            });
            if (result.outcome !== 'appended') throw new Error(`${stream} met a conflict with itself`);
            last = result.revision;
            acknowledged.set(stream, last);
          }
        });
        const readerStop = new AbortController();
        const seen = new Map<string, number>();
        const reader = (async () => {
          for await (const delivery of store.subscribe({ prefixes: [prefix], signal: readerStop.signal })) {
            if (delivery.kind !== 'event') continue;
            const { stream, revision } = delivery.event;
            const last = seen.get(stream) ?? -1;
            // At least once, in order, without gaps.
            expect(revision).toBeLessThanOrEqual(last + 1);
            seen.set(stream, Math.max(last, revision));
          }
        })();
        for (let kill = 0; kill < 4; kill += 1) {
          const goal = total(acknowledged) + 100;
          await expect.poll(() => total(acknowledged), { timeout: 20_000 }).toBeGreaterThan(goal);
          await server.killAndRestart();
        }
        stop.abort();
        await Promise.all(writers);
        const stored = await collect(store.readAll({ prefixes: [prefix] }));
        expect(new Set(stored.map(({ id }) => id)).size).toBe(stored.length);
        for (const [stream, last] of acknowledged) {
          const revisions = stored.filter((one) => one.stream === stream).map(({ revision }) => revision);
          expect(revisions).toEqual(Array.from({ length: last + 1 }, (_, i) => i));
        }
        await expect.poll(() => Object.fromEntries(seen)).toEqual(Object.fromEntries(acknowledged));
        readerStop.abort();
        await reader;
      }, 90_000);

      it('serves subscriptions from their last position after a clean restart', async (context) => {
        const server = fixture.server;
        if (server === undefined) return context.skip('the fixture owns no server');
        const prefix = freshStream();
        const stop = new AbortController();
        await store.append(prefix, numbered(2), 'no-stream');
        const revisions: number[] = [];
        for await (const delivery of store.subscribe({ prefixes: [prefix], signal: stop.signal })) {
          if (delivery.kind !== 'event') continue;
          revisions.push(delivery.event.revision);
          if (delivery.event.revision === 1) {
            await server.restart();
            await store.append(prefix, numbered(2), 1);
          }
          if (delivery.event.revision === 3) stop.abort();
        }
        expect(revisions).toEqual([0, 1, 2, 3]);
      });
    });
  });
}

/** An event with a new id. */
export function event(type: string, data: JsonObject = {}): NewEvent {
  return { id: randomUUID(), type, data, metadata: { schemaVersion: 1 } };
}

export function numbered(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, n) => event('Numbered', { n }));
}

export function freshStream(): string {
  return `contract-${randomUUID()}`;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function conflict(actual: number) {
  return { outcome: 'conflict', reason: 'WrongExpectedRevision', actual };
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, last) => sum + last + 1, 0);
}

function revisionsOf(deliveries: readonly Delivery[]): number[] {
  return deliveries.flatMap((delivery) => (delivery.kind === 'event' ? [delivery.event.revision] : []));
}

async function untilCaughtUp(
  store: EventStore,
  options: { readonly prefixes: readonly string[]; readonly after?: number },
): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for await (const delivery of store.subscribe({ ...options, signal: AbortSignal.timeout(20_000) })) {
    if (delivery.kind === 'caught-up') return deliveries;
    deliveries.push(delivery);
  }
  throw new Error('The subscription did not catch up within 20 s.');
}
