import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createPump, PumpCutError, PumpSilenceError } from './pump.ts';

function objectStream(): PassThrough {
  return new PassThrough({ objectMode: true, highWaterMark: 8 });
}

const never = new AbortController().signal;

describe('a pump', () => {
  it('delivers marks at their place among the buffered objects', async () => {
    const stream = objectStream();
    const pump = createPump<number, string>(stream, never, undefined);
    stream.write(1);
    stream.write(2);
    pump.mark('after two');
    stream.write(3);
    pump.mark('after three');
    stream.end();
    const seen: (number | string)[] = [];
    for await (const item of pump) seen.push(item.kind === 'object' ? item.object : item.mark);
    expect(seen).toEqual([1, 2, 'after two', 3, 'after three']);
  });

  it('delivers a mark at once when nothing is buffered', async () => {
    const stop = new AbortController();
    const pump = createPump<number, string>(objectStream(), stop.signal, undefined);
    setImmediate(() => pump.mark('alone'));
    for await (const item of pump) {
      expect(item).toEqual({ kind: 'mark', mark: 'alone' });
      stop.abort();
    }
  });

  it('applies back-pressure while its consumer is busy', async () => {
    const stream = objectStream();
    const pump = createPump<number>(stream, never, undefined);
    let written = 0;
    while (stream.write(written)) written += 1;
    for await (const item of pump) {
      expect(item).toEqual({ kind: 'object', object: 0 });
      break;
    }
    await new Promise(setImmediate);
    expect(written).toBeLessThan(20);
  });

  it('throws the error of the stream after the objects before it', async () => {
    const stream = objectStream();
    const pump = createPump<number>(stream, never, undefined);
    stream.write(1);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of pump) {
        if (item.kind === 'object') seen.push(item.object);
        stream.emit('error', new Error('connection lost'));
      }
    })();
    await expect(reading).rejects.toThrow('connection lost');
    expect(seen).toEqual([1]);
  });

  it('does not treat a destroyed stream as complete', async () => {
    const stream = objectStream();
    const pump = createPump<number>(stream, never, undefined);
    stream.write(1);
    const reading = (async () => {
      for await (const _item of pump) stream.destroy();
    })();
    await expect(reading).rejects.toThrow(PumpCutError);
  });

  it('gives up a silent stream', async () => {
    const iterator = createPump<number>(objectStream(), never, 20)[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toThrow(PumpSilenceError);
  });

  it('ends when the signal aborts, even while it waits', async () => {
    const stop = new AbortController();
    const iterator = createPump<number>(objectStream(), stop.signal, undefined)[Symbol.asyncIterator]();
    const next = iterator.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
