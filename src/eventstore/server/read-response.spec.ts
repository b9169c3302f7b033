import streams from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEvent, eventResponse } from './read-response.ts';
import { tombstoneRevision } from './storage.ts';

const number = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(127, 128, 2 ** 31, 2 ** 35));

const row = fc.record({
  id: fc.uuid(),
  type: fc.string({ minLength: 1, unit: 'grapheme' }),
  contentType: fc.constantFrom('application/json', 'application/octet-stream'),
  stream: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
  revision: fc.oneof(number, fc.constant(tombstoneRevision)),
  position: number.map((n) => Math.max(1, n)),
  created: fc.nat(2 ** 43),
  data: fc.uint8Array({ maxLength: 20_000, size: 'max' }),
  metadata: fc.uint8Array({ maxLength: 300 }),
});

describe('encoding an event', () => {
  it('gives the same message as the generated serializer', () => {
    fc.assert(
      fc.property(row, (event) => {
        const decoded = streams.ReadResp.deserializeBinary(encodeEvent(event));
        const expected = streams.ReadResp.deserializeBinary(eventResponse(event, 'string').serializeBinary());
        expect(decoded.toObject()).toEqual(expected.toObject());
      }),
    );
  });

  it('gives a message of the same length as the generated serializer', () => {
    fc.assert(
      fc.property(row, (event) => {
        expect(encodeEvent(event).length).toBe(eventResponse(event, 'string').serializeBinary().length);
      }),
    );
  });
});
