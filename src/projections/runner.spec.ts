import { describe, expect, it } from 'vitest';
import { uuidOf } from '../events/envelope.ts';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import type { EventStore } from '../eventstore/port.ts';
import type { AnyProjection, Projection } from './projection.ts';
import { ReadModel } from './read-model.ts';
import { runProjector } from './runner.ts';

/** Number of events in each stream. */
const counts: Projection<number> = {
  name: 'counts',
  version: 1,
  on: {},
  onOther: ({ stream }, rows) => rows.set(stream, (rows.get(stream) ?? 0) + 1),
};

async function storeWith(...ids: readonly string[]): Promise<EventStore> {
  const store = createMemoryEventStore();
  await appendTo(store, ...ids);
  return store;
}

/** Each is `<stream>/<name>`, from which the event gets its id. */
async function appendTo(store: EventStore, ...ids: readonly string[]): Promise<void> {
  for (const name of ids) {
    const event = { id: uuidOf('event', name), type: 'Happened', data: {}, metadata: {} };
    await store.append(name.slice(0, name.indexOf('/')), [event], 'any');
  }
}

/** Folds the store to its end, like a role between its start and its stop. */
async function project(store: EventStore, model: ReadModel): Promise<readonly string[]> {
  const told: string[] = [];
  const stop = new AbortController();
  await runProjector({
    store,
    model,
    signal: stop.signal,
    onCaughtUp: () => stop.abort(),
    onStatus: (message) => told.push(message),
  });
  return told;
}

function open(projections: readonly AnyProjection[] = [counts]): ReadModel {
  return new ReadModel(':memory:', projections);
}

describe('the projector', () => {
  it('continues with a known history, and folds nothing twice', async () => {
    const store = await storeWith('node-a/1', 'node-a/2');
    const model = open();
    expect(await project(store, model)).toEqual([]);
    await appendTo(store, 'node-a/3');
    expect(await project(store, model)).toEqual([]);
    expect(model.row(counts, 'node-a')).toBe(3);
  });

  it('continues also from a checkpoint after the last event', async () => {
    const store = await storeWith('node-a/1', ...Array.from({ length: 40 }, (_, n) => `other-x/${n}`));
    const model = open();
    await project(store, model);
    expect(model.position).toBeGreaterThan(model.lastEvent?.position ?? 0);
    expect(await project(store, model)).toEqual([]);
    await appendTo(store, 'node-a/2');
    await project(store, model);
    expect(model.row(counts, 'node-a')).toBe(2);
  });

  it.each([
    ['a shorter one', ['node-b/1']],
    ['an empty one', []],
    ['one with another event at this place', ['node-a/1', 'node-a/9', 'node-a/3', 'node-a/4']],
    ['one with the same events at other places', ['node-longer/0', 'node-a/1', 'node-a/2', 'node-a/3']],
  ])('starts from the first event when the store has another history: %s', async (_which, ids) => {
    const model = open();
    await project(await storeWith('node-a/1', 'node-a/2'), model);
    const other = await storeWith(...ids);
    const told = await project(other, model);
    expect(told).toEqual([expect.stringContaining('another history')]);
    const fresh = open();
    await project(other, fresh);
    expect([...model.rows(counts)]).toEqual([...fresh.rows(counts)]);
    expect(model.position).toBe(fresh.position);
    expect(model.lastEvent).toEqual(fresh.lastEvent);
    expect(await project(other, model)).toEqual([]);
  });

  it('commits nothing of an event that a projection could not fold', async () => {
    const fragile: Projection<number> = {
      ...counts,
      name: 'fragile',
      onOther() {
        throw new Error('cannot fold this');
      },
    };
    const commits: number[] = [];
    const model = open([counts, fragile]);
    const commit = model.commit.bind(model);
    model.commit = () => {
      commits.push(model.position);
      commit();
    };
    await expect(project(await storeWith('node-a/1'), model)).rejects.toThrow('cannot fold this');
    expect(commits).toEqual([]);
  });

  it('ends at once when a commit fails, also if no event comes any more', async () => {
    const store = await storeWith('node-a/1');
    const model = open();
    const ending = runProjector({
      store,
      model,
      signal: new AbortController().signal,
      async onCaughtUp() {
        model.commit = () => {
          throw new Error('the disk is full');
        };
        await appendTo(store, 'node-a/2');
      },
    });
    await expect(ending).rejects.toThrow('the disk is full');
  });
});
