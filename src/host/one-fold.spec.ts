import { afterEach, describe, expect, it, vi } from 'vitest';
import { SETTINGS } from '../../test/support/evolution.ts';
import { countEvents, countFolds } from '../../test/support/folds.ts';
import { LocalNetwork } from '../../test/support/local-network.ts';
import { createInstantEngine } from '../inference/instant.ts';
import { DEFINITIONS } from '../sagas/index.ts';

const answers = new Map([['What is 15 × 23?', '345']]);

afterEach(() => vi.restoreAllMocks());

describe('a host', () => {
  it('folds every event once, for every kind of actor', async () => {
    const folds = countFolds(DEFINITIONS);
    const local = new LocalNetwork(createInstantEngine({ answers, errorRates: new Map(), seed: 1 }));
    await local.begin(3, SETTINGS);
    await local.ask('What is 15 × 23?');
    local.send({ kind: 'cluster', id: 'logical' }, { type: 'OpenGeneration', data: { generation: 1 } });
    await local.transport.emptied();
    const recorded = countEvents(DEFINITIONS, await local.events());
    await local.close();
    expect(Object.values(recorded).every((events) => events > 0)).toBe(true);
    expect(folds()).toEqual(recorded);
  });
});
