import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyOf, placed, recordedHistory, sourceOf } from '../../test/histories/histories.ts';
import { effectId } from '../events/envelope.ts';
import type { Projection } from '../projections/projection.ts';
import type { HistoryEvent, PlacedEvent } from './history-file.ts';
import type { LiveRows } from './live-rows.ts';
import { type Verification, verifyHistory } from './verify.ts';

const births: Projection<{ n: number; text: string }> = {
  name: 'births',
  version: 1,
  on: {},
  onOther: ({ stream, type }, rows) => rows.set(stream, { n: (rows.get(stream)?.n ?? 0) + 1, text: type }),
};

function verify(events: readonly HistoryEvent[], live: LiveRows | null = null): Promise<Verification> {
  return verifyHistory({ source: sourceOf(placed(events), 7), projections: [births], live });
}

/** Two streams of four events, a-0 b-0 a-1 b-1 …; each event of b follows from the one of a before it. */
function twoStreams(): HistoryEvent[] {
  const told = Array.from({ length: 8 }, (_, index) => ({
    stream: index % 2 === 0 ? 'node-a' : 'node-b',
    type: 'Happened',
    data: { index },
    ...(index % 2 === 1 && { causedBy: index - 1 }),
  }));
  const first = historyOf(told);
  // A message that followed from an event has its id from that event.
  return [
    ...historyOf(
      told.map((one, index) =>
        index % 2 === 0 ? one : { ...one, messageId: effectId(first[index - 1]?.id ?? '', 0) },
      ),
    ),
  ];
}

function at(events: readonly HistoryEvent[], index: number): HistoryEvent {
  const event = events[index];
  if (!event) throw new Error(`There is no event ${index}.`);
  return event;
}

async function firstFault(events: readonly HistoryEvent[]) {
  const { ok, faults } = await verify(events);
  expect(ok).toBe(false);
  const { kind, stream, revision, position } = faults[0] ?? {};
  return { kind, stream, revision, position };
}

describe('verifying a history', () => {
  it('finds nothing in one that is whole', async () => {
    expect(await verify(twoStreams())).toEqual({
      ok: true,
      events: 8,
      streams: 2,
      faults: [],
      stopped: null,
      rows: null,
    });
  });

  it('finds nothing in what the network has recorded', async () => {
    const lines = (await recordedHistory('0.1.0-schema-1')).trimEnd().split('\n');
    const { ok, events, faults } = await verify(lines.map((line) => JSON.parse(line)));
    expect(faults).toEqual([]);
    expect({ ok, events }).toEqual({ ok: true, events: lines.length });
  });

  it('names an event whose data were changed', async () => {
    for (const index of [0, 3, 7]) {
      const events = twoStreams();
      const event = at(events, index);
      events[index] = { ...event, data: { index: 99 } };
      expect(await firstFault(events)).toEqual({
        kind: 'changed',
        stream: event.stream,
        revision: event.revision,
        position: index + 1,
      });
      expect((await verify(events)).faults).toHaveLength(1);
    }
  });

  it('names an event whose metadata were changed, by the one after it', async () => {
    const events = twoStreams();
    const event = at(events, 2);
    events[2] = { ...event, metadata: { ...event.metadata, correlationId: 'another' } };
    const { faults } = await verify(events);
    expect(faults).toMatchObject([{ kind: 'changed', stream: 'node-a', revision: 1, position: 3 }]);
  });

  it('names an event whose prevHash was changed, and not the one before it', async () => {
    const events = twoStreams();
    const event = at(events, 4);
    events[4] = { ...event, metadata: { ...event.metadata, prevHash: 'f'.repeat(64) } };
    const { faults } = await verify(events);
    expect(faults).toMatchObject([{ kind: 'changed', stream: 'node-a', revision: 2, position: 5 }]);
  });

  it('names an event that was changed together with its id', async () => {
    const events = twoStreams();
    const forged = historyOf([
      { stream: 'node-a', type: 'Happened', data: { index: 99 }, messageId: 'message-0' },
    ]);
    events[0] = at(forged, 0);
    const { faults } = await verify(events);
    expect(faults[0]).toMatchObject({ kind: 'changed', stream: 'node-a', revision: 0, position: 1 });
  });

  it('names the last event of a stream as one of two when only its link was changed', async () => {
    const events = twoStreams();
    const event = at(events, 7);
    events[7] = { ...event, metadata: { ...event.metadata, prevHash: 'f'.repeat(64) } };
    const { faults } = await verify(events);
    expect(faults).toMatchObject([{ kind: 'changed', stream: 'node-b', revision: 2 }]);
    expect(faults[0]?.what).toContain('revision 3, the last of the stream');
  });

  it('names an event that was taken away from within a stream', async () => {
    for (const index of [0, 2, 5]) {
      const events = twoStreams();
      const [gone] = events.splice(index, 1);
      expect(await firstFault(events)).toMatchObject({
        kind: 'missing',
        stream: gone?.stream,
        revision: gone?.revision,
      });
    }
  });

  it('finds that the end of a stream is missing when something followed from it', async () => {
    const events = twoStreams().filter(({ stream, revision }) => stream !== 'node-a' || revision < 3);
    const { faults } = await verify(events);
    expect(faults).toMatchObject([{ kind: 'missing', stream: null, position: 7 }]);
    expect(faults[0]?.what).toContain('revision 3 of node-b');
  });

  it('finds that a whole stream is missing when something followed from it', async () => {
    const events = twoStreams().filter(({ stream }) => stream !== 'node-a');
    expect((await verify(events)).faults).toHaveLength(4);
  });

  it('names an event that changed places within its stream', async () => {
    const events = twoStreams();
    const [moved] = events.splice(2, 1);
    if (moved) events.splice(6, 0, moved);
    const { faults } = await verify(events);
    expect(faults.map(({ kind, stream, revision }) => ({ kind, stream, revision }))).toContainEqual({
      kind: 'reordered',
      stream: 'node-a',
      revision: 1,
    });
    expect(faults.every(({ kind }) => kind === 'reordered')).toBe(true);
  });

  it('names an event that stands before the one that it followed from, in another stream', async () => {
    const events = twoStreams();
    [events[4], events[5]] = [at(events, 5), at(events, 4)];
    const { faults } = await verify(events);
    expect(faults).toMatchObject([{ kind: 'reordered', stream: 'node-b', revision: 2, position: 5 }]);
    expect(faults[0]?.what).toContain('revision 2 of node-a');
  });

  it('names an event that stands there twice', async () => {
    const events = twoStreams();
    events.splice(4, 0, at(events, 1));
    const { faults } = await verify(events);
    expect(faults).toMatchObject([{ kind: 'repeated', stream: 'node-b', revision: 0, position: 5 }]);
  });

  it('finds any event of a recorded history that is taken away, unless it is the last that anything knows of', async () => {
    const lines = (await recordedHistory('0.1.0-schema-1')).trimEnd().split('\n');
    const events: HistoryEvent[] = lines.map((line) => JSON.parse(line));
    const lastOf = new Map(events.map((event, index) => [event.stream, index]));
    const inner = events
      .map((_, index) => index)
      .filter((index) => lastOf.get(at(events, index).stream) !== index);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...inner), async (index) => {
        const gone = at(events, index);
        const { faults } = await verify(events.filter((event) => event !== gone));
        expect(faults[0]).toMatchObject({ kind: 'missing' });
        expect(faults).toContainEqual(
          expect.objectContaining({ kind: 'missing', stream: gone.stream, revision: gone.revision }),
        );
      }),
      { numRuns: 10 },
    );
  });

  it('finds any event of a recorded history that is changed', async () => {
    const lines = (await recordedHistory('0.1.0-schema-1')).trimEnd().split('\n');
    await fc.assert(
      fc.asyncProperty(fc.nat(lines.length - 1), fc.string({ minLength: 1 }), async (index, text) => {
        const events: HistoryEvent[] = lines.map((line) => JSON.parse(line));
        const event = at(events, index);
        events[index] = { ...event, data: { ...event.data, note: text } };
        expect(await firstFault(events)).toEqual({
          kind: 'changed',
          stream: event.stream,
          revision: event.revision,
          position: index + 1,
        });
      }),
      { numRuns: 10 },
    );
  });

  describe('beside a read model', () => {
    function liveOf(
      events: readonly PlacedEvent[],
      change: (rows: Map<string, unknown>) => void = () => {},
    ): LiveRows {
      const rows = new Map<string, { n: number; text: string }>();
      for (const { stream, type } of events)
        rows.set(stream, { n: (rows.get(stream)?.n ?? 0) + 1, text: type });
      change(rows);
      const last = events.at(-1);
      return {
        label: 'the rows',
        position: last?.position ?? -1,
        lastEvent: last
          ? { stream: last.stream, revision: last.revision, position: last.position, id: last.id }
          : null,
        rows: new Map([['births', rows]]),
      };
    }

    it('compares the rows at the position that they are from', async () => {
      const events = placed(twoStreams());
      const { ok, rows } = await verify(events, liveOf(events.slice(0, 5)));
      expect({ ok, rows }).toEqual({
        ok: true,
        rows: { label: 'the rows', position: 5, projections: ['births'], compared: 2, differences: [] },
      });
    });

    it('names the rows that are not what the history folds to', async () => {
      const events = placed(twoStreams());
      const live = liveOf(events, (rows) => {
        rows.set('node-a', { n: 5, text: 'Happened' });
        rows.delete('node-b');
        rows.set('node-c', { n: 1, text: 'Happened' });
      });
      const { ok, rows } = await verify(events, live);
      expect(ok).toBe(false);
      expect(rows?.differences).toEqual([
        { projection: 'births', key: 'node-c', fields: [], what: 'only in the read model' },
        { projection: 'births', key: 'node-b', fields: [], what: 'only in the history' },
        { projection: 'births', key: 'node-a', fields: ['n'], what: 'differs' },
      ]);
    });

    /** The event at an index cannot be folded. */
    const unfoldable = (index: number) =>
      verifyHistory({
        source: sourceOf(placed(twoStreams()), 7),
        projections: [
          {
            ...births,
            onOther(event, rows) {
              if (event.position === index + 1) throw new Error('that is not what was recorded');
              births.onOther?.(event, rows);
            },
          } satisfies typeof births,
        ],
        live: liveOf(placed(twoStreams()).slice(0, 5)),
      });

    it('compares no rows with those of a fold that could not go so far', async () => {
      expect(await unfoldable(2)).toMatchObject({
        ok: false,
        faults: [],
        stopped: expect.stringContaining('Revision 1 of node-a'),
        rows: null,
      });
    });

    it('folds what stands behind the rows, too', async () => {
      expect(await unfoldable(6)).toMatchObject({
        ok: false,
        faults: [],
        stopped: expect.stringContaining('Revision 3 of node-a'),
        rows: { position: 5, compared: 2, differences: [] },
      });
    });

    it('names the last event when it is missing and the rows were folded from it', async () => {
      const events = placed(twoStreams());
      const { faults } = await verify(events.slice(0, -1), liveOf(events));
      expect(faults).toMatchObject([{ kind: 'missing', stream: 'node-b', revision: 3, position: 8 }]);
    });
  });
});
