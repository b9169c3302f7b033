import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { SPECIES } from '../../src/inference/species.ts';
import { EVENT_HEADER } from '../../src/messaging/relay.ts';
import { launchReadSide } from '../../src/network/read-side.ts';
import { cleanUp, descendantsOf, newFolder, type Process, processes, up } from '../support/dellm-process.ts';
import { type LiveNetwork, startLiveNetwork } from '../support/live-network.ts';

const QUESTION = 'What is 2 + 2?';
const GONE_WITHIN_MS = 15_000;
const TEST_MS = 60_000;

let network: LiveNetwork | null = null;

afterEach(async () => {
  await network?.stop();
  network = null;
});
afterAll(cleanUp);

async function readSidesOf(pid: number): Promise<Process[]> {
  return descendantsOf(pid, await processes()).filter(({ command }) => command.includes('read-side-process'));
}

describe('projector and relay, in their own process', () => {
  it(
    'are killed, and run again: every event is published once, and questions are answered meanwhile',
    async () => {
      const models = SPECIES.flatMap(({ miniature }) => miniature.pair.map((model) => [model, 0] as const));
      const answers = new Map([[QUESTION, '4']]);
      network = await startLiveNetwork({
        engine: createInstantEngine({ answers, errorRates: new Map(models), seed: 1 }),
      });
      const ids: string[] = [];
      const watcher = await network.connect('network');
      watcher.subscribe('dellm.evt.query.>', {
        callback(_error, { headers }) {
          ids.push(headers?.get(EVENT_HEADER.id) ?? '');
        },
      });
      const ask = (queryId: string) => network?.request('dellm.ask', { question: QUESTION, queryId });
      await ask('before');
      const [killed, ...others] = await readSidesOf(process.pid);
      if (killed === undefined || others.length > 0) throw new Error('there is one such process');
      process.kill(killed.pid, 'SIGKILL');
      expect(await ask('meanwhile')).toMatchObject({ outcome: 'answered', answer: '4' });
      await expect
        .poll(() => network?.request('dellm.query', { queryId: 'meanwhile' }).catch(() => null))
        .toMatchObject({ query: { result: { outcome: 'answered' } } });
      const [successor] = await readSidesOf(process.pid);
      expect(successor?.pid).not.toBe(killed.pid);
      expect(network.log.join('\n')).toContain('projector and relay has ended');
      const recorded = await recordedIds(network);
      await expect.poll(() => ids.length).toBeGreaterThanOrEqual(recorded.length);
      expect([...ids].sort()).toEqual([...recorded].sort());
    },
    TEST_MS,
  );

  it('end while they start, when they are not wanted any more', async () => {
    const abort = new AbortController();
    const starting = launchReadSide(new Promise(() => {}), () => {}, abort.signal);
    expect(await readSidesOf(process.pid)).toHaveLength(1);
    abort.abort();
    await expect(starting).rejects.toThrow('aborted');
    expect(await readSidesOf(process.pid)).toEqual([]);
  });

  it(
    'end with the network that was killed',
    async () => {
      const { child } = await up(newFolder());
      const started = descendantsOf(child.pid ?? -1, await processes());
      expect(started.filter(({ command }) => command.includes('read-side-process')).length).toBe(1);
      child.kill('SIGKILL');
      const left = async () => {
        const pids = new Set((await processes()).map(({ pid }) => pid));
        return started.filter(({ pid, command }) => pids.has(pid) && command.includes('read-side-process'));
      };
      await expect.poll(left, { timeout: GONE_WITHIN_MS }).toEqual([]);
    },
    TEST_MS,
  );
});

async function recordedIds({ storeUrl }: LiveNetwork): Promise<string[]> {
  const store = connectEventStore(storeUrl);
  const ids: string[] = [];
  for await (const { id } of store.readAll({ prefixes: ['query-'] })) ids.push(id);
  await store.close();
  return ids;
}
