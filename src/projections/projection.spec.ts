import { describe, expect, it } from 'vitest';
import { fitness } from './fitness.ts';
import { lineage } from './lineage.ts';
import { foldsByType } from './projection.ts';
import { queryTrace } from './query-trace.ts';

describe('folds by type of event', () => {
  const foldsOf = foldsByType([lineage, queryTrace, fitness].map((projection) => ({ projection })));
  const named = (type: string) => foldsOf(type).map(({ projection }) => projection.name);

  it('are those that name the type, and those that name none, in their order', () => {
    expect(named('NodeBorn')).toEqual([lineage.name, queryTrace.name]);
    expect(named('PerformanceRecorded')).toEqual([queryTrace.name, fitness.name]);
  });

  it('are only those that name none where nobody names it, whatever it is called', () => {
    expect(named('SynthesisSkipped')).toEqual([queryTrace.name]);
    expect(named('constructor')).toEqual([queryTrace.name]);
  });
});
