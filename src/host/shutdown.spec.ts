import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { prepareShutdown } from './shutdown.ts';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }
}

function prepare() {
  const target = new FakeProcess();
  const log: string[] = [];
  const shutdown = prepareShutdown({ onLog: (_level, message) => log.push(message), process: target });
  return { target, log, shutdown };
}

describe('the first signal', () => {
  it('stops everything one after another, the last one first, and ends with 0', async () => {
    const { target, shutdown } = prepare();
    const order: string[] = [];
    for (const name of ['broker', 'store', 'fleet']) {
      shutdown.add(name, async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
      });
    }
    target.emit('SIGTERM');
    expect(shutdown.signal.aborted).toBe(true);
    expect(await shutdown.finished).toBe(0);
    expect(order).toEqual([
      'fleet begins',
      'fleet ends',
      'store begins',
      'store ends',
      'broker begins',
      'broker ends',
    ]);
    expect(target.exits).toEqual([]);
    expect(target.listenerCount('SIGINT')).toBe(0);
  });

  it('continues when something cannot be stopped, says what, and ends with 1', async () => {
    const { target, shutdown, log } = prepare();
    let stopped = false;
    shutdown.add('store', async () => {
      stopped = true;
    });
    shutdown.add('fleet', () => Promise.reject(new Error('it hangs')));
    target.emit('SIGINT');
    expect(await shutdown.finished).toBe(1);
    expect(stopped).toBe(true);
    expect(log).toContain('fleet could not be stopped cleanly: it hangs');
  });
});

describe('the second signal', () => {
  it('ends the process at once', () => {
    const { target, shutdown } = prepare();
    shutdown.add('fleet', () => new Promise(() => {}));
    target.emit('SIGINT');
    expect(target.exits).toEqual([]);
    target.emit('SIGINT');
    expect(target.exits).toEqual([130]);
  });
});

describe('a stop that begins without a signal', () => {
  it('ends with the given code, once, and stops at once what is added later', async () => {
    const { shutdown } = prepare();
    expect(await shutdown.begin(3)).toBe(3);
    expect(await shutdown.begin(4)).toBe(3);
    let stopped = false;
    shutdown.add('late', async () => {
      stopped = true;
    });
    expect(stopped).toBe(true);
  });
});
