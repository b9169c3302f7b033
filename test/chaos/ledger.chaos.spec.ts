import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wreakHavoc } from './harness.ts';
import { type LedgerNetwork, startLedgerNetwork } from './ledger-target.ts';

/**
 * `CHAOS_KILLS=200 npx vitest run test/chaos` makes a long run. `CHAOS_SEED` repeats a run's moments and
 * victims.
 */
const kills = Number(process.env.CHAOS_KILLS ?? 12);
const seed = Number(process.env.CHAOS_SEED ?? 1);
const PAUSE_MS = [300, 1_300] as const;
const RECOVERY_MS = 30_000;

describe('a network whose processes are killed at random', () => {
  let network: LedgerNetwork;
  beforeAll(async () => {
    network = await startLedgerNetwork(seed);
  });
  afterAll(() => network.stop());

  it(
    'loses nothing that it accepted, and does nothing twice',
    async () => {
      const report = await wreakHavoc(network, {
        seed,
        kills,
        loads: kills * 30,
        atOnce: 8,
        pauseMs: PAUSE_MS,
        recoveryMs: RECOVERY_MS,
      });
      console.log(`chaos, seed ${seed}: ${JSON.stringify(report)}`);
      // The output of the processes belongs to the failure.
      if (report.problems.length > 0) console.log(network.log.slice(-200).join('\n'));
      expect(report.problems).toEqual([]);
      expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(kills);
    },
    kills * 3_000 + RECOVERY_MS + 30_000,
  );
});
