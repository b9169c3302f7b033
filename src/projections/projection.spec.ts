import { describe, expect, it } from 'vitest';
import { foldInto, type Projection, type Recorded } from './projection.ts';

describe('the folds for an event', () => {
  const told: string[] = [];
  const noting = (name: string, types: readonly string[], others: boolean): Projection<unknown> => ({
    name,
    version: 1,
    on: Object.fromEntries(types.map((type) => [type, () => told.push(name)])),
    ...(others && { onOther: () => told.push(`${name}, of any other type`) }),
  });
  const projections = [
    noting('births', ['NodeBorn', 'NodeMoved'], false),
    noting('everything', ['NodeBorn'], true),
    noting('judgements', ['PerformanceRecorded'], false),
  ];
  const apply = foldInto(projections.map((projection) => ({ projection, rows: new Map() })));
  const toldOf = (type: string) => {
    told.length = 0;
    apply({ type } as Recorded);
    return [...told];
  };

  it('are those of its type, in the order of the projections', () => {
    expect(toldOf('NodeBorn')).toEqual(['births', 'everything']);
    expect(toldOf('PerformanceRecorded')).toEqual(['everything, of any other type', 'judgements']);
  });

  it('are only those for other types if no projection names its type, whatever the type is', () => {
    expect(toldOf('SynthesisSkipped')).toEqual(['everything, of any other type']);
    expect(toldOf('constructor')).toEqual(['everything, of any other type']);
  });

  it('compile only under the type of event that they take', () => {
    const ofBirths: Projection<string> = {
      name: 'spec',
      version: 1,
      on: {
        NodeBorn: ({ data }, rows) => rows.set(data.node, data.species),
        // @ts-expect-error: a birth has no such member
        NodeMoved: ({ data }, rows) => rows.set(data.node, data.species),
        // @ts-expect-error: there is no such event
        NodeBorne: () => {},
      },
    };
    expect(ofBirths.name).toBe('spec');
  });
});
