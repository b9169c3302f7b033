import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  decodeJson,
  drawOf,
  type EventMetadata,
  effectId,
  encodeJson,
  eventId,
  GENESIS_HASH,
  type HashedContent,
  hashOf,
  NotJsonError,
  SCHEMA_VERSION,
  sealEvent,
  uuid5,
  uuidOf,
  verifyChain,
} from './envelope.ts';

type Chained = HashedContent & { readonly metadata: EventMetadata };

function chain(stream: string, datas: readonly object[]): Chained[] {
  const events: Chained[] = [];
  let prevHash = GENESIS_HASH;
  for (const [revision, data] of datas.entries()) {
    const messageId = `m${revision}`;
    const id = eventId(stream, revision, 'Counted', data, messageId);
    const metadata = {
      schemaVersion: SCHEMA_VERSION,
      messageId,
      causationId: messageId,
      correlationId: messageId,
      prevHash,
    };
    const event = { stream, revision, id, type: 'Counted', data, metadata };
    prevHash = hashOf(event);
    events.push(event);
  }
  return events;
}

describe('canonical JSON', () => {
  it('sorts keys at every depth and leaves out undefined properties', () => {
    expect(canonicalJson({ b: [{ z: 1, y: undefined, a: null }], a: 'ä"' })).toBe(
      '{"a":"ä\\"","b":[{"a":null,"z":1}]}',
    );
  });

  it('is the same text for the same value in any key order, and parses back to it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a hole in an array', [undefined]],
  ])('refuses %s and says where it stands', (_name, value) => {
    expect(() => canonicalJson({ outer: [value] })).toThrow(NotJsonError);
    expect(() => canonicalJson({ outer: [value] })).toThrow('.outer[0]');
  });
});

describe('ids', () => {
  it('are UUIDv5 as in RFC 9562', () => {
    // The RFC's own example: the DNS namespace and www.example.com.
    expect(uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('of an event differ if stream, revision, type, data or message differ', () => {
    const ids = [
      eventId('a-1', 0, 'T', { x: 1 }, 'm'),
      eventId('a-2', 0, 'T', { x: 1 }, 'm'),
      eventId('a-1', 1, 'T', { x: 1 }, 'm'),
      eventId('a-1', 0, 'U', { x: 1 }, 'm'),
      eventId('a-1', 0, 'T', { x: 2 }, 'm'),
      eventId('a-1', 0, 'T', { x: 1 }, 'n'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(eventId('a-1', 0, 'T', { x: 1 }, 'm')).toBe(ids[0]);
  });

  it('metadata and hash of an event are the same from the text of its data as from the data', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.string(), object, (name, revision, type, data) => {
        const [stream, messageId, prevHash] = [`s-${name}`, `m-${name}`, GENESIS_HASH];
        const ids = { messageId, causationId: name, correlationId: type };
        const seal = sealEvent({ stream, revision, type, dataText: canonicalJson(data), ids, prevHash });
        const metadata = { ...ids, prevHash, schemaVersion: SCHEMA_VERSION };
        expect(seal.metadata).toEqual(metadata);
        expect(seal.metadataText).toBe(canonicalJson(metadata));
        expect(seal.id).toBe(eventId(stream, revision, type, data, messageId));
        expect(seal.id).toBe(uuidOf(stream, revision, type, data, messageId));
        const content = { stream, revision, id: seal.id, type, data, metadata };
        expect(seal.content).toBe(canonicalJson(content));
        expect(seal.hash).toBe(hashOf(content));
        expect(seal.hash).toBe(createHash('sha256').update(canonicalJson(content)).digest('hex'));
      }),
    );
  });

  it('of effects differ by their index', () => {
    const event = eventId('a-1', 0, 'T', {}, 'm');
    expect(effectId(event, 0)).not.toBe(effectId(event, 1));
    expect(effectId(event, 0)).toBe(effectId(event, 0));
  });

  it('and draws are in [0, 1) and evenly distributed', () => {
    const draws = Array.from({ length: 2000 }, (_, index) => drawOf('message', 'purpose', index));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(Math.abs(draws.reduce((sum, draw) => sum + draw, 0) / draws.length - 0.5)).toBeLessThan(0.03);
  });
});

describe('the hash chain', () => {
  const events = chain(
    'counter-1',
    Array.from({ length: 5 }, (_, count) => ({ count })),
  );

  it('is valid for unchanged streams, also interleaved and beside snapshots', async () => {
    const other = chain('counter-2', [{ a: 1 }, { a: 2 }]);
    const [first, ...rest] = other;
    const snapshot = { stream: 'snapshot-counter-1', revision: 7, id: '', type: 's', data: {}, metadata: {} };
    if (first === undefined) throw new Error('unreachable');
    expect(await verifyChain([first, ...events, snapshot, ...rest])).toEqual({ ok: true, events: 7 });
  });

  it('names the first event that was changed, removed, swapped or written by something else', async () => {
    const changed = events.map((event) => (event.revision === 2 ? { ...event, data: { count: 99 } } : event));
    expect(await verifyChain(changed)).toMatchObject({ ok: false, stream: 'counter-1', revision: 2 });

    const reidentified = changed.map((event) =>
      event.revision === 2
        ? { ...event, id: eventId(event.stream, 2, event.type, event.data, event.metadata.messageId) }
        : event,
    );
    expect(await verifyChain(reidentified)).toMatchObject({ ok: false, revision: 3 });

    expect(await verifyChain(events.filter((event) => event.revision !== 1))).toMatchObject({
      ok: false,
      revision: 2,
    });
    expect(await verifyChain([...events].reverse())).toMatchObject({ ok: false, revision: 4 });
    const foreign = events.map((event) => (event.revision === 4 ? { ...event, metadata: {} } : event));
    expect(await verifyChain(foreign)).toMatchObject({ ok: false, revision: 4 });
  });
});

describe('bodies', () => {
  it('survive the wire', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeJson(encodeJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['bad UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['half a document', Buffer.from('{"a":')],
  ])('that are %s are refused', (_name, bytes) => {
    expect(() => decodeJson(bytes)).toThrow(NotJsonError);
  });
});
