import { describe, expect, it } from 'vitest';
import { judgedOf } from '../evolution/fitness.ts';
import { MemoryModel } from '../replay/memory-model.ts';
import { fitness } from './fitness.ts';
import { type NetworkRow, network } from './network.ts';
import { NetworkViewBuilder } from './network-view.ts';
import { type MatrixCell, performanceMatrix } from './performance-matrix.ts';
import type { Projection, Recorded } from './projection.ts';
import { trust } from './trust.ts';

const AT = '2026-01-05T10:00:00.000Z';

function on(stream: string, type: string, data: object = {}): Recorded {
  const place = { stream, revision: 0, position: 0, correlationId: 'q1' };
  return { type, data: { at: AT, ...data }, ...place } as unknown as Recorded;
}

function fold<Row>(projection: Projection<Row>, events: readonly Recorded[]): ReadonlyMap<string, Row> {
  const model = new MemoryModel([projection]);
  for (const [position, event] of events.entries()) model.apply({ ...event, position });
  return model.rows(projection);
}

function performed(basis: string, correct: boolean): Recorded {
  const answer = { taskId: 't', queryId: 'q1', taskType: 'math.arithmetic', responseMs: 10, computeMs: 5 };
  return on('node-n1', 'PerformanceRecorded', { ...answer, basis, correct });
}

function verdict(kind: 'node' | 'cluster', correct: boolean | null): Recorded {
  const resource = { kind, id: 'x' };
  return on('query-q1', 'VerdictReached', { resource, correct, taskType: 'math.arithmetic', responseMs: 20 });
}

describe('fitness', () => {
  it.each([
    ['computed', 1],
    ['gold', 1],
    ['consensus', 0],
  ])('counts an answer judged by its basis: %s', (basis, judged) => {
    for (const correct of [true, false]) {
      const tally = fold(fitness, [performed(basis, correct)]).get('node/n1') ?? {};
      expect(judgedOf(tally)).toBe(judged);
    }
  });

  it('does not rise with any amount of agreement', () => {
    const agreed = Array.from({ length: 50 }, () => performed('consensus', true));
    const wrong = performed('computed', false);
    const rows = fold(fitness, [...agreed, wrong, ...agreed]);
    expect(rows.get('node/n1')?.['math.arithmetic']).toMatchObject({ judged: 1, right: 0 });
  });
});

describe('the performance matrix and trust', () => {
  it.each(['computed', 'gold', 'consensus'])('learn from an answer judged by its basis: %s', (basis) => {
    const events = [performed(basis, true), performed(basis, false)];
    const cell = fold<MatrixCell>(performanceMatrix, events).get('node/n1/math.arithmetic');
    expect(cell).toMatchObject({ n: 2, alpha: 2, beta: 2, latencyMs: 10 });
    expect(fold(trust, events).get('node/n1')).toMatchObject({ total: 2, valid: 1 });
  });

  it('do not change for a Cluster if its answer cannot be judged', () => {
    const events = [verdict('cluster', null)];
    expect(fold(performanceMatrix, events).size).toBe(0);
    expect(fold(trust, events).size).toBe(0);
  });

  it('do not change for a Node with the verdict on its query, because its own judgement follows', () => {
    expect(fold(performanceMatrix, [verdict('node', true)]).size).toBe(0);
    expect(fold(trust, [verdict('node', false)]).size).toBe(0);
  });
});

describe('a Node in the view of the network', () => {
  const born = on('node-n1', 'NodeBorn', {
    node: 'n1',
    species: 'math-specialists',
    device: 'laptop',
    owner: 'owner',
    cluster: 'maths',
    generation: 0,
    parents: [],
    genome: { modelA: 'a', modelB: 'b', specialization: 'mathematical' },
  });

  function seen(events: readonly Recorded[], devices: readonly string[]) {
    const builder = new NetworkViewBuilder();
    builder.setDevices(devices.map((id) => ({ id, proximityMs: 1 })));
    const rows = fold<NetworkRow>(network, events);
    builder.change(
      [...rows].map(([key, row]) => ({ projection: network.name, key, row })),
      events.length,
    );
    return builder.view.nodes.get('n1');
  }

  it('is alive while its device is available', () => {
    expect(seen([born], ['laptop'])).toMatchObject({ alive: true, culled: false });
    expect(seen([born], ['phone'])).toMatchObject({ alive: false, culled: false });
  });

  it('accepts no work once it is culled, whether or not its device is available', () => {
    const culled = [born, on('node-n1', 'NodeCulled')];
    expect(seen(culled, ['laptop'])).toMatchObject({ alive: false, culled: true });
    expect(seen(culled, [])).toMatchObject({ alive: false, culled: true });
  });

  it('is removed once it is retired', () => {
    expect(
      seen([born, on('node-n1', 'NodeCulled'), on('node-n1', 'NodeRetired')], ['laptop']),
    ).toBeUndefined();
  });
});
