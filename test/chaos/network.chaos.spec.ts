import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wreakHavoc } from './harness.ts';
import { type ChaosNetwork, startChaosNetwork } from './network-target.ts';

/**
 * `CHAOS_KILLS=200 npx vitest run test/chaos` makes a long run. `CHAOS_SEED` repeats a run's moments and
 * victims.
 */
const kills = Number(process.env.CHAOS_KILLS ?? 10);
const seed = Number(process.env.CHAOS_SEED ?? 1);
/** Most questions. None is asked after the last kill. */
const QUERIES_PER_KILL = 30;
const PAUSE_MS = [1_500, 4_500] as const;
const RECOVERY_MS = 30_000;

describe('the whole network, while its processes are killed at random', () => {
  let network: ChaosNetwork;
  beforeAll(async () => {
    network = await startChaosNetwork(seed);
  }, 120_000);
  afterAll(() => network?.stop(), 120_000);

  it(
    'gives every accepted query one ending, keeps its books, evolves, and answers afterwards',
    async () => {
      const report = await wreakHavoc(network, {
        seed,
        kills,
        loads: kills * QUERIES_PER_KILL,
        atOnce: 32,
        pauseMs: PAUSE_MS,
        recoveryMs: RECOVERY_MS,
      });
      const evolved = JSON.stringify(network.evolved());
      console.log(
        `chaos, seed ${seed}: ${JSON.stringify(report)}, ${network.answered()} answered, evolved ${evolved}`,
      );
      expect(report.problems).toEqual([]);
      expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(kills);
      // It continues to answer between the kills. How much depends on the machine, and on what is killed when.
      expect(network.answered()).toBeGreaterThanOrEqual(kills);
      // Generations ended during the kills, and a fleet was killed right after a selection.
      expect(network.evolved().generations).toBeGreaterThan(0);
      expect(network.evolved().born).toBeGreaterThan(0);
      expect(network.ambushed()).toBeGreaterThan(0);
    },
    kills * 6_000 + 180_000,
  );
});
