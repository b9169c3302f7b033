import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, SCHEMA_VERSION } from '../events/envelope.ts';
import {
  type Cursor,
  eventBefore,
  type HistoryEvent,
  historyLine,
  type PlacedEvent,
  readHistoryBatches,
  readHistoryFile,
} from './history-file.ts';

const metadata = { schemaVersion: SCHEMA_VERSION, messageId: 'm' };

function event(index: number, data: object = { index }): HistoryEvent {
  return { stream: 'node-a', revision: index, id: `id-${index}`, type: 'Happened', data, metadata };
}

async function all(path: string): Promise<PlacedEvent[]> {
  const events: PlacedEvent[] = [];
  for await (const one of readHistoryFile(path)) events.push(one);
  return events;
}

async function firstAfter(path: string, cursor: Cursor): Promise<PlacedEvent | undefined> {
  for await (const { events } of readHistoryBatches(path, cursor)) return events[0];
  return undefined;
}

describe('a history file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dellm-history-'));
    path = join(folder, 'history.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('gives back what was written, with line numbers as positions', async () => {
    const data = fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<never>);
    await fc.assert(
      fc.asyncProperty(fc.array(data, { maxLength: 20 }), async (bodies) => {
        const events = bodies.map((body, index) => event(index, JSON.parse(canonicalJson(body))));
        await writeFile(path, events.map(historyLine).join(''));
        expect(await all(path)).toEqual(events.map((one, index) => ({ ...one, position: index + 1 })));
      }),
      { numRuns: 50 },
    );
  });

  it('is the same bytes for the same events, whatever the order of their members', () => {
    const one = historyLine(event(0, { b: 1, a: 2 }));
    const other = historyLine({ ...event(0, { a: 2, b: 1 }), position: 17 } as HistoryEvent);
    expect(other).toBe(one);
    expect(one).toBe(
      `{"data":{"a":2,"b":1},"id":"id-0","metadata":{"messageId":"m","schemaVersion":${SCHEMA_VERSION}},` +
        '"revision":0,"stream":"node-a","type":"Happened"}\n',
    );
  });

  it('without events is a history without events', async () => {
    await writeFile(path, '');
    expect(await all(path)).toEqual([]);
  });

  it('is read on from any batch, and tells which event stands before that', async () => {
    const events = Array.from({ length: 6000 }, (_, index) => event(index, { text: 'ä'.repeat(200) }));
    await writeFile(path, events.map(historyLine).join(''));
    let batches = 0;
    for await (const { cursor, events: batch } of readHistoryBatches(path)) {
      batches += 1;
      expect(await eventBefore(path, cursor)).toEqual(batch.at(-1));
      const next = await firstAfter(path, cursor);
      const index = cursor.position;
      expect(next).toEqual(index < events.length ? { ...events[index], position: index + 1 } : undefined);
    }
    expect(batches).toBeGreaterThan(2);
    expect(await eventBefore(path, { position: 7, offset: 17 })).toBeNull();
    expect(await eventBefore(path, { position: 7, offset: 1e9 })).toBeNull();
  });

  const whole = [0, 1, 2].map((index) => historyLine(event(index)));
  const broken: readonly [string, string | Buffer, RegExp][] = [
    [
      'a truncated last line',
      historyLine(event(3)).slice(0, -1),
      /Line 4 of .* is cut off: it has no end of line\. .*the 3 events before it/,
    ],
    ['a line that is no JSON', '{"stream":\n', /Line 4 of .* is not JSON/],
    ['an empty line', '\n', /Line 4 of .* is not JSON/],
    [
      'a line of something else',
      '{"id":1,"ancestor_list":[]}\n',
      /Line 4 of .* is not an event of a history: it has no stream/,
    ],
    ['a list', '[]\n', /Line 4 of .*: it is not an object/],
    [
      'an event with something more',
      `${JSON.stringify({ ...event(3), position: 4 })}\n`,
      /Line 4 of .*: it has an unknown member "position"/,
    ],
    [
      'a revision that is none',
      `${JSON.stringify({ ...event(3), revision: 1.5 })}\n`,
      /Line 4 of .*: it has no revision/,
    ],
    [
      'an event of a later release',
      historyLine({ ...event(3), metadata: { schemaVersion: SCHEMA_VERSION + 1 } }),
      /Line 4 of .* has a Happened of schema version \d+, and this release reads versions up to \d+\. .*with the release that wrote it/,
    ],
    ['bytes that are no text', Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]), /Line 4 of .* is not UTF-8/],
  ];
  for (const [what, bytes, message] of broken) {
    it(`with ${what} is refused by the line's number, after the events before it`, async () => {
      await writeFile(path, whole.join(''));
      await appendFile(path, bytes);
      const read: PlacedEvent[] = [];
      const reading = (async () => {
        for await (const one of readHistoryFile(path)) read.push(one);
      })();
      await expect(reading).rejects.toThrow(message);
      await expect(reading).rejects.toMatchObject({ name: 'HistoryFileError', line: 4, file: path });
      expect(read).toHaveLength(3);
    });
  }
});
