import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { historyOf, placed, sourceOf, type Told } from '../../test/histories/histories.ts';
import { SCHEMA_VERSION } from '../events/envelope.ts';
import type { Projection } from '../projections/projection.ts';
import { foldTo } from './fold.ts';
import { historyLine, type PlacedEvent } from './history-file.ts';
import { type Moment, parseMoment } from './moment.ts';
import { snapshotCache } from './snapshots.ts';
import { fileSource } from './source.ts';

/** Counts the events of each stream. */
const counts: Projection<{ n: number }> = {
  name: 'counts',
  version: 1,
  on: {},
  onOther: ({ stream }, rows) => rows.set(stream, { n: (rows.get(stream)?.n ?? 0) + 1 }),
};

function time(minute: number): string {
  return `2030-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
}

function at(moment: string, events: readonly PlacedEvent[]) {
  return foldTo({
    source: sourceOf(events, 3),
    moment: parseMoment(moment),
    projections: [counts],
    cache: null,
  });
}

async function positionAt(moment: string, events: readonly PlacedEvent[]): Promise<number | undefined> {
  return (await at(moment, events)).last?.position;
}

const ten = placed(
  historyOf(
    Array.from({ length: 10 }, (_, index) => ({
      stream: `node-${index % 2}`,
      type: 'T',
      data: { at: time(index) },
    })),
  ),
);

describe('folding a history to a moment', () => {
  it('counts everything up to and with an event', async () => {
    const { model, last, events } = await at('7', ten);
    expect(Object.fromEntries(model.rows(counts))).toEqual({ 'node-0': { n: 4 }, 'node-1': { n: 3 } });
    expect({ last: last?.position, events }).toEqual({ last: 7, events: 7 });
  });

  it('knows the latest time that any of its events names, wherever that event stands', async () => {
    const skewed = ten.map((event) => (event.position === 3 ? { ...event, data: { at: time(9) } } : event));
    expect((await at('2', skewed)).latestAt).toBe(time(1));
    expect((await at('7', skewed)).latestAt).toBe(time(9));
    expect((await at('end', [])).latestAt).toBe('');
  });

  it('takes a position between two events for what had been before it', async () => {
    const apart = ten.map((event) => ({ ...event, position: event.position * 10 }));
    expect(await positionAt('75', apart)).toBe(70);
    expect((await at('5', apart)).last).toBeNull();
  });

  it('refuses a position beyond the end, and tells where the end is', async () => {
    await expect(at('11', ten)).rejects.toThrow(
      'There is no event at line 11 of the spec: its last event is at line 10.',
    );
    await expect(at('1', [])).rejects.toThrow('it has no event');
  });

  it('goes to the end', async () => {
    expect(await positionAt('end', ten)).toBe(10);
    expect((await at('end', [])).last).toBeNull();
  });

  it('stops before the first event that happened later than a time, in the order of the store', async () => {
    expect(await positionAt(`time:${time(4)}`, ten)).toBe(5);
    expect(await positionAt('2030-01-01T01:04:30+01:00', ten)).toBe(5);
    expect(await positionAt('2031-01-01', ten)).toBe(10);
    expect((await at('2029-01-01', ten)).last).toBeNull();
    const skewed = ten.map((event) => (event.position === 3 ? { ...event, data: { at: time(9) } } : event));
    expect(await positionAt(time(6), skewed)).toBe(2);
  });

  describe('of a generation', () => {
    const told: readonly Told[] = [
      { stream: 'node-a', type: 'T' },
      { stream: 'cluster-x', type: 'GenerationOpened', data: { generation: 1 } },
      { stream: 'cluster-y', type: 'GenerationOpened', data: { generation: 1 } },
      { stream: 'generation-x-1', type: 'GenerationCompleted', data: { cluster: 'x', generation: 1 } },
      { stream: 'cluster-x', type: 'GenerationClosed', data: { generation: 1 } },
      { stream: 'cluster-x', type: 'GenerationOpened', data: { generation: 2 } },
      { stream: 'generation-y-1', type: 'GenerationCompleted', data: { cluster: 'y', generation: 1 } },
      { stream: 'cluster-y', type: 'GenerationClosed', data: { generation: 1 } },
      { stream: 'cluster-x', type: 'GenerationClosed', data: { generation: 2 } },
      { stream: 'node-a', type: 'T' },
    ];
    const events = placed(historyOf(told));

    it('goes up to its end in every Cluster that had it', async () => {
      expect(await positionAt('generation:1', events)).toBe(8);
      expect(await positionAt('generation:2', events)).toBe(9);
    });

    it('or in one Cluster', async () => {
      expect(await positionAt('generation:1@x', events)).toBe(5);
      await expect(at('generation:2@y', events)).rejects.toThrow(
        'Generation 2 has not ended in the Cluster "y" of the spec. The last one that has ended is 1.',
      );
    });

    it('0 is before the first one was opened', async () => {
      expect(await positionAt('generation:0', events)).toBe(1);
      expect(await positionAt('generation:0', ten)).toBe(10);
    });

    it('that has not ended is refused', async () => {
      await expect(at('generation:3', events)).rejects.toThrow('The last one that has ended is 2.');
      await expect(at('generation:1', ten)).rejects.toThrow('No generation has ended yet.');
    });
  });

  it('names the event that cannot be folded', async () => {
    const fragile: typeof counts = {
      ...counts,
      onOther({ revision }) {
        if (revision === 3) throw new TypeError('ranking is undefined');
      },
    };
    await expect(
      foldTo({ source: sourceOf(ten), moment: { kind: 'end' }, projections: [fragile], cache: null }),
    ).rejects.toThrow(
      /Revision 3 of node-0 \(a T, line 7\) cannot be folded: ranking is undefined.*history verify/,
    );
  });

  it('refuses events of a later release', async () => {
    const later = ten.map((event) => ({ ...event, metadata: { schemaVersion: SCHEMA_VERSION + 1 } }));
    await expect(at('end', later)).rejects.toThrow(/Read this history with the release that wrote it/);
  });
});

describe('a moment', () => {
  for (const [text, moment] of [
    ['120', { kind: 'event', position: 120 }],
    ['event:120', { kind: 'event', position: 120 }],
    ['end', { kind: 'end' }],
    ['2030-01-01T12:00:00Z', { kind: 'time', at: '2030-01-01T12:00:00.000Z' }],
    ['time:2030-01-01', { kind: 'time', at: '2030-01-01T00:00:00.000Z' }],
    ['generation:3', { kind: 'generation', generation: 3, cluster: null }],
    ['generation:3@mathematical', { kind: 'generation', generation: 3, cluster: 'mathematical' }],
  ] as const satisfies readonly (readonly [string, Moment])[]) {
    it(`is read from "${text}"`, () => expect(parseMoment(text)).toEqual(moment));
  }
  for (const text of [
    '',
    '0',
    '-1',
    '1.5',
    'yesterday',
    'event:x',
    'generation:x',
    'generation:-1',
    '2030-13-01',
  ]) {
    it(`is not "${text}"`, () => expect(() => parseMoment(text)).toThrow(/is no|no position|no generation/));
  }
});

describe('snapshots of folds', () => {
  let folder: string;
  let file: string;
  const history = placed(
    historyOf(
      Array.from({ length: 5_000 }, (_, index) => ({
        stream: `node-${index % 7}`,
        type: 'T',
        data: { at: time(0), text: 'x'.repeat(600) },
      })),
    ),
  );
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dellm-replay-'));
    file = join(folder, 'history.jsonl');
    writeFileSync(file, history.map(historyLine).join(''));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const cacheOf = () => snapshotCache(join(folder, 'cache'), { every: 500 });

  async function rowsAt(position: number, cached: boolean) {
    const progress: number[] = [];
    const folded = await foldTo({
      source: fileSource(file),
      moment: { kind: 'event', position },
      projections: [counts],
      cache: cached ? cacheOf() : null,
      onProgress: (events) => progress.push(events),
    });
    return {
      rows: [...folded.model.rows(counts)].sort(),
      events: folded.events,
      last: folded.last,
      begunAt: progress[0],
    };
  }

  it('give the same rows as folding from the first event, and fold less', async () => {
    const whole = await rowsAt(4_900, false);
    const first = await rowsAt(4_900, true);
    const second = await rowsAt(4_900, true);
    expect({ ...first, begunAt: 0 }).toEqual({ ...whole, begunAt: 0 });
    expect({ ...second, begunAt: 0 }).toEqual({ ...whole, begunAt: 0 });
    // None at all where the rest is less than a batch.
    expect(second.begunAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(first.begunAt ?? 0);
  });

  it('serve a moment before them too', async () => {
    await rowsAt(4_900, true);
    for (const position of [1, 600, 2_000, 4_899]) {
      expect((await rowsAt(position, true)).rows).toEqual((await rowsAt(position, false)).rows);
    }
  });

  it('are passed over when the file has changed', async () => {
    await rowsAt(4_900, true);
    const changed = history.map((event) => ({ ...event, stream: event.stream.replace('node-0', 'node-8') }));
    writeFileSync(file, changed.map(historyLine).join(''));
    expect((await rowsAt(4_900, true)).rows).toEqual((await rowsAt(4_900, false)).rows);
  });

  it('are passed over when they are damaged, or of other folds', async () => {
    await rowsAt(4_900, true);
    const [name = ''] = readdirSync(join(folder, 'cache'));
    const kept = join(folder, 'cache', name);
    for (const position of readdirSync(kept)) {
      const [snapshot = ''] = readdirSync(join(kept, position));
      const path = join(kept, position, snapshot);
      writeFileSync(path, readFileSync(path, 'utf8').replace('"n":', '"n":1'));
    }
    expect((await rowsAt(4_900, true)).rows).toEqual((await rowsAt(4_900, false)).rows);
  });

  it('of another history at the same place are passed over', async () => {
    const source = sourceOf(history);
    const options = { moment: { kind: 'end' }, projections: [counts], cache: cacheOf() } as const;
    await foldTo({ source, ...options });
    const other = placed(historyOf(history.map(() => ({ stream: 'node-z', type: 'T' }))));
    const { model } = await foldTo({ source: sourceOf(other), ...options });
    expect(Object.fromEntries(model.rows(counts))).toEqual({ 'node-z': { n: 5_000 } });
  });

  it('that cannot be written are reported, and nothing else is lost', async () => {
    const told: string[] = [];
    const cache = snapshotCache(file, { every: 500, onStatus: (message) => told.push(message) });
    const { events } = await foldTo({
      source: fileSource(file),
      moment: { kind: 'end' },
      projections: [counts],
      cache,
    });
    expect(events).toBe(5_000);
    expect(told[0]).toContain('could not be written');
  });
});
