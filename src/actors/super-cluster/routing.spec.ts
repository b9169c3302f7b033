import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawOf } from '../../events/envelope.ts';
import type { MatrixRow } from './matrix.ts';
import { type Candidate, type RoutingDraws, type RoutingRequest, route } from './routing.ts';

const REQUEST: RoutingRequest = {
  taskType: 'math.arithmetic',
  prefer: 'node',
  specialization: 'mathematical',
  nodes: 1,
  exclude: [],
};

const EXPLOIT: RoutingDraws = { policy: 0, pick: 0, thompson: () => 0.5 };

function row(right: number, wrong: number, latencyMs = 20): MatrixRow {
  const recent = (right + 1) / (right + wrong + 2);
  return { alpha: right + 1, beta: wrong + 1, n: right + wrong, latencyMs, recent };
}

function candidate(id: string, change: Partial<Candidate> = {}): Candidate {
  return { kind: 'node', id, load: 0, proximityMs: 1, trust: 0.8, alive: true, row: null, ...change };
}

describe('routing by the performance matrix', () => {
  it('sends work to the best row and lets the next two stand by', () => {
    const choice = route(
      REQUEST,
      [
        candidate('poor', { row: row(10, 90) }),
        candidate('good', { row: row(80, 20) }),
        candidate('best', { row: row(95, 5) }),
        candidate('fair', { row: row(50, 50) }),
      ],
      EXPLOIT,
    );
    expect(choice?.mode).toBe('node');
    expect(choice?.policy).toBe('exploit');
    expect(choice?.chosen.map((one) => one.id)).toEqual(['best', 'good', 'fair']);
    expect(choice?.ranking.map((one) => one.id)).toEqual(['best', 'good', 'fair']);
    expect(choice?.why).toContain('node best');
  });

  it('shows scores that are the product of their parts', () => {
    const choice = route(REQUEST, [candidate('a', { row: row(3, 1), load: 0.5 })], EXPLOIT);
    const [first] = choice?.ranking ?? [];
    const { matrix, load, proximity, trend, trust } = first?.parts ?? expect.fail('nobody was ranked');
    expect(first?.score).toBeCloseTo(matrix * load * proximity * trend * trust, 12);
  });

  it.each([
    ['load', { load: 1 }],
    ['distance', { proximityMs: 500 }],
    ['little trust', { trust: 0.4 }],
    ['slowness', { row: row(9, 1, 4000) }],
    ['a falling trend', { row: { ...row(9, 1), recent: 0.3 } }],
  ] as const)('counts %s against a candidate', (_, change) => {
    const candidates = [
      candidate('worse', { row: row(9, 1), ...change }),
      candidate('other', { row: row(9, 1) }),
    ];
    expect(route(REQUEST, candidates, EXPLOIT)?.chosen[0]?.id).toBe('other');
  });

  it('expects more of the right specialization while nothing is measured, and less as evidence grows', () => {
    const specialist = candidate('specialist', { specialization: 'mathematical' });
    const stranger = candidate('stranger', { specialization: 'creative' });
    expect(route(REQUEST, [stranger, specialist], EXPLOIT)?.chosen[0]?.id).toBe('specialist');
    const proven = { ...stranger, row: row(60, 2) };
    const failing = { ...specialist, row: row(2, 60) };
    expect(route(REQUEST, [failing, proven], EXPLOIT)?.chosen[0]?.id).toBe('stranger');
  });

  it('spreads work over equals by the draw', () => {
    const equals = ['a', 'b', 'c', 'd'].map((id) => candidate(id));
    const winners = [0, 0.25, 0.5, 0.75].map(
      (pick) => route(REQUEST, equals, { ...EXPLOIT, pick })?.chosen[0]?.id,
    );
    expect(winners).toEqual(['a', 'b', 'c', 'd']);
  });

  it('leaves out the dead and the excluded, and says null when nobody is left', () => {
    const candidates = [candidate('dead', { alive: false }), candidate('failed'), candidate('left')];
    const choice = route({ ...REQUEST, exclude: ['failed'] }, candidates, EXPLOIT);
    expect(choice?.chosen).toEqual([{ kind: 'node', id: 'left' }]);
    expect(route({ ...REQUEST, exclude: ['failed', 'left'] }, candidates, EXPLOIT)).toBeNull();
    expect(route(REQUEST, [], EXPLOIT)).toBeNull();
  });
});

describe('the three modes', () => {
  const both = [
    candidate('n1', { row: row(99, 1) }),
    candidate('c1', { kind: 'cluster', row: row(5, 5) }),
    candidate('c2', { kind: 'cluster', row: row(7, 3) }),
  ];

  it('goes straight to a Cluster when that is preferred, even if a Node scores higher', () => {
    const choice = route({ ...REQUEST, prefer: 'cluster', nodes: 3 }, both, EXPLOIT);
    expect(choice?.mode).toBe('cluster');
    expect(choice?.chosen.map((one) => one.id)).toEqual(['c2', 'c1']);
  });

  it('takes the best Cluster with the best Node as its guest in mixed mode', () => {
    const choice = route({ ...REQUEST, prefer: 'mixed', nodes: 3 }, both, EXPLOIT);
    expect(choice?.mode).toBe('mixed');
    expect(choice?.chosen.map((one) => one.id)).toEqual(['c2', 'n1', 'c1']);
  });

  it('falls back to the other kind and says so', () => {
    const nodes = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => candidate(id));
    const choice = route({ ...REQUEST, prefer: 'cluster', nodes: 3 }, nodes, EXPLOIT);
    expect(choice?.mode).toBe('node');
    expect(choice?.chosen).toHaveLength(5);
    expect(choice?.why).toContain('no cluster was available');
    expect(route(REQUEST, [candidate('c', { kind: 'cluster' })], EXPLOIT)?.mode).toBe('cluster');
  });
});

describe('exploring', () => {
  const population = [
    ...Array.from({ length: 10 }, (_, index) => candidate(`good${index}`, { row: row(90, 10) })),
    ...Array.from({ length: 10 }, (_, index) => candidate(`bad${index}`, { row: row(10, 90) })),
    candidate('unknown'),
  ];
  const decide = (index: number) =>
    route(REQUEST, population, {
      policy: (index + 0.5) / 2000,
      pick: drawOf('pick', index),
      thompson: (id, draw) => drawOf(index, id, draw),
    }) ?? expect.fail('nobody was chosen');
  const choices = Array.from({ length: 2000 }, (_, index) => decide(index));
  const of = (policy: string) => choices.filter((choice) => choice.policy === policy);

  it('is a tenth of all decisions, a fifth of which is forced diversity', () => {
    expect(of('exploit')).toHaveLength(1800);
    expect(of('explore')).toHaveLength(160);
    expect(of('forced-diversity')).toHaveLength(40);
  });

  it('exploits the good, explores the unknown, and forces work to underperformers', () => {
    expect(of('exploit').every((choice) => choice.chosen[0]?.id.startsWith('good'))).toBe(true);
    expect(of('explore').some((choice) => choice.chosen[0]?.id === 'unknown')).toBe(true);
    expect(of('explore').some((choice) => choice.chosen[0]?.id.startsWith('bad'))).toBe(false);
    expect(of('forced-diversity').every((choice) => !choice.chosen[0]?.id.startsWith('good'))).toBe(true);
    expect(of('forced-diversity').some((choice) => choice.chosen[0]?.id.startsWith('bad'))).toBe(true);
  });

  it('lets the best stand by whenever it sends work elsewhere', () => {
    for (const choice of of('forced-diversity')) {
      expect(choice.chosen).toHaveLength(3);
      expect(choice.chosen.slice(1).every((one) => one.id.startsWith('good'))).toBe(true);
      expect(choice.why).toContain('forced diversity');
    }
  });
});

describe('any choice', () => {
  const anyCandidate = fc.record({
    kind: fc.constantFrom('node' as const, 'cluster' as const),
    id: fc.string({ minLength: 1, maxLength: 3 }),
    specialization: fc.constantFrom('mathematical', 'creative'),
    load: fc.double({ min: 0, max: 100, noNaN: true }),
    proximityMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    trust: fc.double({ min: 0, max: 1, noNaN: true }),
    alive: fc.boolean(),
    row: fc.option(fc.tuple(fc.nat(500), fc.nat(500)).map(([right, wrong]) => row(right, wrong))),
  });
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('names living, allowed, different resources, ranks them in order, and is the same again', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyCandidate, { selector: (one) => one.id, maxLength: 40 }),
        fc.constantFrom('node' as const, 'cluster' as const, 'mixed' as const),
        fc.integer({ min: 1, max: 5 }),
        draw,
        draw,
        (candidates, prefer, nodes, policy, pick) => {
          const request = { ...REQUEST, prefer, nodes, exclude: candidates.slice(0, 3).map((one) => one.id) };
          const draws = { policy, pick, thompson: drawOf };
          const choice = route(request, candidates, draws);
          expect(route(request, candidates, draws)).toEqual(choice);
          const allowed = candidates.slice(3).filter((one) => one.alive);
          if (choice === null) {
            expect(allowed).toHaveLength(0);
            return;
          }
          const ids = choice.chosen.map((one) => one.id);
          expect(ids.length).toBeGreaterThan(0);
          expect(new Set(ids).size).toBe(ids.length);
          for (const id of ids) expect(allowed.some((one) => one.id === id)).toBe(true);
          if (choice.mode !== 'mixed') {
            for (const one of choice.chosen) expect(one.kind).toBe(choice.mode);
          }
          const scores = choice.ranking.map((one) => one.score);
          expect(scores).toEqual([...scores].sort((a, b) => b - a));
        },
      ),
    );
  });

  it('is made among 10,000 candidates in one pass', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      candidate(`n${index}`, { row: row(index % 97, index % 13), specialization: 'mathematical' }),
    );
    let asked = 0;
    const thompson = (id: string, index: number) => {
      asked += 1;
      return drawOf(id, index);
    };
    expect(route(REQUEST, many, { policy: 0.95, pick: 0.5, thompson })?.policy).toBe('explore');
    // Two Gamma variates of some three draws each.
    expect(asked).toBeLessThan(10 * many.length);
  });
});
