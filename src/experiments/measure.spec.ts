import { describe, expect, it } from 'vitest';
import { judgedNode } from '../../test/support/evolution.ts';
import { networkView } from '../../test/support/views.ts';
import { measureGeneration } from './measure.ts';

const HAPPENED = { generation: 1, at: '2030-01-01T00:00:00.000Z', born: 0, culled: 0, judged: 20, right: 15 };

describe('what is measured of a generation', () => {
  it('has a spread of 0 where a single Node was judged, which is no number otherwise', () => {
    const view = networkView([judgedNode('a', 15), judgedNode('b', 0, 0)]);
    const { fitness } = measureGeneration(HAPPENED, view, new Map(), 10);
    expect(fitness).toMatchObject({ n: 1, sd: 0, mean: expect.closeTo(0.75) });
  });
});
