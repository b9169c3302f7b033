import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/eventstore/port.ts';
import { evolutionProblems, populationOf, unfinishedEvolution } from './evolution-history.ts';

type Told = readonly [type: string, stream: string, data: object];

const GENERATION: readonly Told[] = [
  ['GenesisBegun', 'genesis-main', { seeds: [{ nodes: [{ node: 'n1' }, { node: 'n2' }] }] }],
  ['NodeBorn', 'node-n1', { device: 'laptop' }],
  ['NodeBorn', 'node-n2', { device: 'laptop' }],
  ['GenerationOpened', 'cluster-a', { generation: 1 }],
  ['NodeCulled', 'node-n2', {}],
  ['SlotsGranted', 'superCluster-main', { claim: 'a-1', slots: [{ node: 'a-1-1' }] }],
  ['OffspringBred', 'generation-a-1', { slot: { node: 'a-1-1' } }],
  ['NodeRetired', 'node-n2', {}],
  ['NodeBorn', 'node-a-1-1', { device: 'laptop' }],
  ['GenerationClosed', 'cluster-a', { generation: 1 }],
];

function events(told: readonly Told[]): StoredEvent[] {
  return told.map(([type, stream, data], position) => ({
    type,
    stream,
    position,
    revision: 0,
    id: `e${position}`,
    created: new Date(0).toISOString(),
    data: { ...data },
    metadata: {},
  }));
}

const problemsOf = (told: readonly Told[]) => evolutionProblems(events(told), 2);
const without = (type: string, stream?: string) =>
  GENERATION.filter((one) => one[0] !== type || (stream !== undefined && one[1] !== stream));

describe('the history of an evolution', () => {
  it('has no problems after a whole generation', () => {
    expect(problemsOf(GENERATION)).toEqual([]);
    expect(unfinishedEvolution(events(GENERATION))).toEqual([]);
    const { culled, offspring } = populationOf(events(GENERATION));
    expect([[...culled], [...offspring]]).toEqual([['n2'], ['a-1-1']]);
  });

  it.each([
    ['a generation that never ends', without('GenerationClosed'), 'generation a/1: opened 1×, closed 0×'],
    ['a culled Node that stays', without('NodeRetired'), 'n2 was culled 1× and retired 0×'],
    ['a Node that leaves unculled', without('NodeCulled'), 'n2 was culled 0× and retired 1×'],
    ['a birth that was lost', without('NodeBorn', 'node-a-1-1'), 'a-1-1 was bred 1× and born 0×'],
    ['a slot that was lost', without('OffspringBred'), 'a-1-1 was granted a slot and never bred'],
    ['a slot that nobody granted', without('SlotsGranted'), 'a-1-1 was bred without a slot'],
    ['a birth out of nothing', without('OffspringBred'), 'a-1-1 was born of nothing'],
    ['a device that is too full', without('NodeRetired'), 'laptop holds 3 Nodes at position 7'],
    [
      'a Node that is born twice',
      [...GENERATION, ['NodeBorn', 'node-a-1-1', { device: 'laptop' }] as const],
      'a-1-1 was born again at position 10',
    ],
    [
      'a culled Node that continues',
      [...GENERATION, ['TaskAccepted', 'node-n2', {}] as const],
      'n2 took a task after it was culled',
    ],
  ] as const)('shows %s', (_what, told, problem) => {
    expect(problemsOf(told)).toContain(problem);
  });

  it('lists what has not ended', () => {
    const open = without('GenerationClosed').filter(([type]) => type !== 'NodeRetired');
    expect(unfinishedEvolution(events(open))).toEqual(['generation a/1', 'retirement of n2']);
  });
});
