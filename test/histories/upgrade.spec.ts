import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/eventstore/port.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { credits } from '../../src/projections/credits.ts';
import { evolution } from '../../src/projections/evolution.ts';
import type { HistoryEvent } from '../../src/replay/history-file.ts';
import { storeSource } from '../../src/replay/source.ts';
import { verifyHistory } from '../../src/replay/verify.ts';
import { SETTINGS } from '../support/evolution.ts';
import { LocalNetwork } from '../support/local-network.ts';
import { recordedHistory } from './histories.ts';

const NAME = '0.1.0-schema-1';
const ANSWERS = new Map([['What is 15 × 23?', '15*3:5400 15*20:0030 0+5=5,0+4=4,3+0=3,0+0=0:345']]);

const MODELS = ['maths', 'code', 'logic', 'creative', 'fast'].flatMap((name) => [`${name}-a`, `${name}-b`]);

let network: LocalNetwork;
afterEach(() => network.close());

/** A network of this release over the history of the one before. */
async function upgraded(): Promise<LocalNetwork> {
  network = new LocalNetwork(
    createInstantEngine({
      answers: ANSWERS,
      errorRates: new Map(MODELS.map((model) => [model, 0])),
      seed: 1,
    }),
  );
  for (const line of (await recordedHistory(NAME)).trimEnd().split('\n')) {
    const { stream, id, type, data, metadata } = JSON.parse(line) as HistoryEvent;
    // What was recorded is JSON.
    const event = { id, type, data: data as JsonObject, metadata: metadata as JsonObject };
    await network.store.append(stream, [event], 'any');
  }
  return network;
}

describe('a network that was founded by the release before', () => {
  it('answers, keeps its books, and adds to the same streams', async () => {
    const { store, model } = await upgraded();
    const reply = await network.ask('What is 15 × 23?', { queryId: 'after-the-upgrade' });
    expect(reply).toMatchObject({ outcome: 'answered', answer: '345' });
    const totals = model.row(credits, 'totals');
    expect(totals?.kind === 'totals' && totals.accounts + totals.treasury + totals.escrow).toBe(0);
    const found = await verifyHistory({ source: storeSource(store, 'memory'), projections: [], live: null });
    expect(found).toMatchObject({ ok: true, faults: [] });
  });

  it('does not evolve before its rules are recorded, and then does', async () => {
    const { model, store } = await upgraded();
    expect(model.row(evolution, 'state')).toBeUndefined();
    network.send(
      { kind: 'superCluster', id: 'main' },
      { type: 'ConfigureEvolution', data: { settings: SETTINGS, onlyIfNone: true } },
    );
    await network.transport.emptied();
    await network.quiet();
    expect(network.view().evolution?.settings).toEqual(SETTINGS);
    network.send(
      { kind: 'cluster', id: 'mathematical' },
      { type: 'OpenGeneration', data: { generation: 1 } },
    );
    await network.transport.emptied();
    await network.quiet();
    const types: string[] = [];
    for await (const { type } of store.readStream('cluster-mathematical')) types.push(type);
    expect(types).toContain('GenerationClosed');
    expect(network.transport.deadLetters).toEqual([]);
  });
});
