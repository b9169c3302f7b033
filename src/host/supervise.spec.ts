import { describe, expect, it } from 'vitest';
import { type Running, supervise } from './supervise.ts';

const quick = { firstMs: 5, longestMs: 20, stableMs: 10_000 };

/** Something that can be stopped. */
function mortal() {
  const lives: { end: (reason?: unknown) => void; stopped: boolean }[] = [];
  let refuse = 0;
  const start = async (): Promise<Running> => {
    if (refuse > 0) {
      refuse -= 1;
      throw new Error('the port is taken');
    }
    let end: (reason?: unknown) => void = () => {};
    const exited = new Promise<unknown>((resolve) => {
      end = resolve;
    });
    const life = { end, stopped: false };
    lives.push(life);
    const stop = async () => {
      life.stopped = true;
      end(0);
    };
    return { pid: lives.length, exited, stop };
  };
  return {
    start,
    lives,
    refuseNext(count: number) {
      refuse = count;
    },
    endLast(reason: unknown) {
      lives.at(-1)?.end(reason);
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition was not met in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a supervised process', () => {
  it('comes back when it ends, and says so', async () => {
    const { start, lives, endLast } = mortal();
    const log: string[] = [];
    const child = await supervise({
      name: 'child',
      start,
      onLog: (_level, text) => log.push(text),
      backoff: quick,
    });
    endLast('SIGKILL');
    await until(() => lives.length === 2 && child.state() === 'running');
    expect(child.restarts()).toBe(1);
    expect(child.current()?.pid).toBe(2);
    expect(log).toEqual(['child has ended (SIGKILL); starting it again in 5 ms', 'child runs again']);
    await child.stop();
  });

  it('is started again with growing pauses while it cannot start', async () => {
    const { start, lives, endLast, refuseNext } = mortal();
    const log: string[] = [];
    const child = await supervise({
      name: 'child',
      start,
      onLog: (_level, text) => log.push(text),
      backoff: quick,
    });
    refuseNext(4);
    const endedAt = performance.now();
    endLast(1);
    await until(() => lives.length === 2);
    // 5 + 10 + 20 + 20 + 20; each timer may be early by 1.
    expect(performance.now() - endedAt).toBeGreaterThanOrEqual(70);
    expect(child.restarts()).toBe(5);
    expect(log.filter((text) => text.includes('the port is taken'))).toHaveLength(4);
    await child.stop();
  });

  it('has its pause reset after it ran for long enough', async () => {
    const { start, lives, endLast } = mortal();
    const log: string[] = [];
    const backoff = { ...quick, stableMs: 0 };
    const child = await supervise({ name: 'child', start, onLog: (_level, text) => log.push(text), backoff });
    for (let life = 2; life <= 4; life += 1) {
      endLast(0);
      await until(() => lives.length === life && child.state() === 'running');
    }
    expect(log.filter((text) => text.endsWith('in 5 ms'))).toHaveLength(3);
    await child.stop();
  });

  it('fails at once if its first start fails', async () => {
    const { start, refuseNext } = mortal();
    refuseNext(1);
    await expect(supervise({ name: 'child', start, onLog: () => {} })).rejects.toThrow('the port is taken');
  });

  it('stays down once it is stopped, also during a pause or a start', async () => {
    const { start, lives, endLast } = mortal();
    const running = await supervise({ name: 'child', start, onLog: () => {}, backoff: quick });
    await running.stop();
    expect(lives.at(-1)?.stopped).toBe(true);
    expect(running.state()).toBe('stopped');

    const pausing = await supervise({
      name: 'child',
      start,
      onLog: () => {},
      backoff: { ...quick, firstMs: 60_000 },
    });
    endLast(1);
    await until(() => pausing.state() === 'waiting');
    await pausing.stop();
    expect(lives).toHaveLength(2);

    let finishStart: () => void = () => {};
    let starts = 0;
    const slow = async () => {
      starts += 1;
      if (starts > 1) {
        await new Promise<void>((resolve) => {
          finishStart = resolve;
        });
      }
      return start();
    };
    const starting = await supervise({ name: 'child', start: slow, onLog: () => {}, backoff: quick });
    endLast(1);
    await until(() => starts === 2);
    const stopped = starting.stop();
    finishStart();
    await stopped;
    expect(lives.at(-1)?.stopped).toBe(true);
  });

  it('is told when it is not wanted any more while it starts', async () => {
    const { start, endLast } = mortal();
    let starts = 0;
    const endless = (unwanted: AbortSignal): Promise<Running> => {
      starts += 1;
      if (starts === 2) return start();
      return new Promise((_, reject) => {
        unwanted.addEventListener('abort', () => reject(unwanted.reason), { once: true });
      });
    };
    const abort = new AbortController();
    const first = supervise({ name: 'child', start: endless, signal: abort.signal, onLog: () => {} });
    abort.abort();
    await expect(first).rejects.toThrow('aborted');

    const child = await supervise({ name: 'child', start: endless, onLog: () => {}, backoff: quick });
    endLast(1);
    await until(() => starts === 3);
    await child.stop();
    expect(child.state()).toBe('stopped');
  });

  it('is stopped if it became ready although it is not wanted any more', async () => {
    const { start, lives } = mortal();
    const abort = new AbortController();
    const heedless = async (): Promise<Running> => {
      abort.abort();
      return start();
    };
    const first = supervise({ name: 'child', start: heedless, signal: abort.signal, onLog: () => {} });
    await expect(first).rejects.toThrow('aborted');
    expect(lives.map(({ stopped }) => stopped)).toEqual([true]);
  });
});
