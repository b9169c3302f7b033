import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { later, Scenario } from '../../../test/support/decider.ts';
import { judgedNode, SETTINGS, tenNodes } from '../../../test/support/evolution.ts';
import { clusterView, networkView } from '../../../test/support/views.ts';
import type { NodeView } from '../../actors/network-view.ts';
import type { EvolutionMode, EvolutionSettings, Slot } from '../../events/evolution.ts';
import type { GenerationCommand, GenerationEvent } from '../../events/generation.ts';
import { generation } from './index.ts';

type Subject = Scenario<GenerationCommand, GenerationEvent>;

const MEMBERS = Array.from({ length: 10 }, (_, index) => `n${index}`);

const BEGIN: GenerationCommand = {
  type: 'BeginGeneration',
  data: { cluster: 'maths', generation: 1, trigger: 'tasks', members: MEMBERS },
};

function viewed(settings: Partial<EvolutionSettings> = {}, mode: EvolutionMode = 'normal') {
  const evolution = { settings: { ...SETTINGS, ...settings }, mode };
  return networkView(tenNodes(), [clusterView('maths')], 7, { evolution });
}

function begun(settings: Partial<EvolutionSettings> = {}): Subject {
  const reads = viewed(settings);
  return new Scenario<GenerationCommand, GenerationEvent>(generation, 'maths-1', { reads }).when(BEGIN);
}

function subject(nodes: readonly NodeView[]): Subject {
  const evolution = { settings: SETTINGS, mode: 'normal' } as const;
  const reads = networkView(nodes, [clusterView('maths')], 7, { evolution });
  return new Scenario<GenerationCommand, GenerationEvent>(generation, 'maths-1', { reads });
}

function slot(index: number, replaces: string | null): Slot {
  return {
    node: `maths-1-${index}`,
    device: 'laptop',
    owner: 'owner',
    tier: 'low',
    cluster: 'maths',
    replaces,
  };
}

const SLOTS: GenerationCommand = { type: 'ReceiveSlots', data: { slots: [slot(1, 'n0'), slot(2, 'n1')] } };

function retire(node: string): GenerationCommand {
  return { type: 'ConfirmRetirement', data: { node } };
}

function born(id: string): GenerationCommand {
  return { type: 'ConfirmBirth', data: { what: 'node', id } };
}

function last<T extends GenerationEvent['type']>(scenario: Subject, type: T) {
  const event = scenario.history.findLast((one) => one.type === type);
  if (event?.type !== type) throw new Error(`no ${type}`);
  return event.data as Extract<GenerationEvent, { type: T }>['data'];
}

describe('a generation', () => {
  it('ranks by fitness, culls the worst fifth and has the best fifth succeeded', () => {
    const scenario = begun();
    expect(scenario.types).toEqual(['GenerationBegun', 'FitnessEvaluated', 'SelectionMade']);
    expect(last(scenario, 'FitnessEvaluated').ranking.map(({ node }) => node)).toEqual(
      [...MEMBERS].reverse(),
    );
    const selection = last(scenario, 'SelectionMade');
    expect(selection.elites).toEqual(['n9', 'n8']);
    expect(selection.culled.map(({ node, rank, of }) => [node, rank, of])).toEqual([
      ['n1', 9, 10],
      ['n0', 10, 10],
    ]);
    expect(selection.kept).toHaveLength(6);
    expect(selection.wanted).toBeGreaterThanOrEqual(4);
    expect(selection.wanted).toBeLessThanOrEqual(6);
    expect(scenario.sent.toSorted()).toEqual([
      'node/n0 CullNode',
      'node/n1 CullNode',
      'superCluster/main ClaimSlots',
    ]);
  });

  it('lets nobody be born before the slot is free, and ends when all have come and gone', () => {
    const scenario = begun().when(SLOTS);
    expect(scenario.types).toEqual(['SlotsReceived', 'OffspringBred', 'OffspringBred']);
    expect(scenario.sent).toEqual([]);
    expect(scenario.when(retire('n0')).sent).toEqual(['node/maths-1-1 BearNode']);
    expect(scenario.when(retire('n1')).sent).toEqual(['node/maths-1-2 BearNode']);
    scenario.when(born('maths-1-1')).when(born('maths-1-2'));
    expect(scenario.types).toEqual(['OffspringBorn', 'GenerationCompleted']);
    expect(scenario.sent).toEqual(['cluster/maths CloseGeneration', 'superCluster/main MeasureFitness']);
    expect(last(scenario, 'GenerationCompleted')).toMatchObject({ culled: 2, born: 2 });
  });

  it('ends the same in any order, also when messages are repeated', () => {
    const messages = [SLOTS, retire('n0'), retire('n1'), born('maths-1-1'), born('maths-1-2')];
    fc.assert(
      fc.property(fc.array(fc.nat({ max: messages.length - 1 }), { maxLength: 30 }), (order) => {
        const scenario = begun();
        const tell = (message: GenerationCommand | undefined) => message && scenario.when(message);
        for (const index of order) tell(messages[index]);
        for (const message of messages) tell(message);
        for (const message of messages) tell(message);
        const types = scenario.history.map(({ type }) => type);
        expect(scenario.snapshot.value).toBe('complete');
        expect(types.filter((type) => type === 'GenerationCompleted')).toHaveLength(1);
        expect(types.filter((type) => type === 'OffspringBred')).toHaveLength(2);
        expect(types.filter((type) => type === 'OffspringBorn')).toHaveLength(2);
      }),
      { numRuns: 60 },
    );
  });

  it('records parents, changes and draws of each offspring', () => {
    const child = last(begun({ crossover: false }).when(SLOTS), 'OffspringBred');
    expect(child.parents).toHaveLength(1);
    expect(['n9', 'n8']).toContain(child.parents[0]);
    expect(child.mutations.length).toBeGreaterThan(0);
    expect(child.draws.length).toBeGreaterThan(0);
  });

  it('does not judge a Node on trial', () => {
    const trial = judgedNode('n0', 0, 9);
    const nodes = [trial, ...tenNodes().slice(1)];
    const reads = networkView(nodes, [], 7, { evolution: { settings: SETTINGS, mode: 'normal' } });
    const scenario = begun().when(BEGIN);
    const fresh = new Scenario<GenerationCommand, GenerationEvent>(generation, 'maths-1', { reads });
    fresh.when(BEGIN);
    expect(last(fresh, 'SelectionMade').onTrial).toEqual(['n0']);
    expect(last(fresh, 'SelectionMade').culled.map(({ node }) => node)).not.toContain('n0');
    expect(scenario.types).toEqual([]);
  });

  it('decides nothing about a Node whose device is away: it is neither ranked, culled nor bred from', () => {
    const nodes = tenNodes().map((node) => ({ ...node, alive: !['n0', 'n9'].includes(node.id) }));
    const scenario = subject(nodes).when(BEGIN);
    expect(last(scenario, 'FitnessEvaluated').ranking.map(({ node }) => node)).toEqual([
      'n8',
      'n7',
      'n6',
      'n5',
      'n4',
      'n3',
      'n2',
      'n1',
    ]);
    const { elites, culled } = last(scenario, 'SelectionMade');
    expect(elites).toEqual(['n8', 'n7']);
    expect(culled.map(({ node, rank, of }) => [node, rank, of])).toEqual([
      ['n2', 7, 8],
      ['n1', 8, 8],
    ]);
  });

  it('waits for the devices where all are away', () => {
    const away = tenNodes().map((node) => ({ ...node, alive: false }));
    expect(subject(away).when(BEGIN).types).toEqual([]);
  });

  it('judges the members that it was given, and nobody else of the network', () => {
    const stranger = judgedNode('stranger', 20, 20, { cluster: 'other' });
    const scenario = subject([...tenNodes(), stranger]).when(BEGIN);
    expect(last(scenario, 'FitnessEvaluated').ranking).toHaveLength(10);
  });

  it('breeds from the elites that are still there', () => {
    const left = tenNodes().filter(({ id }) => id !== 'n9');
    const scenario = begun({ crossover: false }).when(SLOTS, {
      reads: { ...viewed(), ...networkView(left) },
    });
    const parents = scenario.events.flatMap((event) => ('parents' in event.data ? event.data.parents : []));
    expect(parents).toEqual(['n8', 'n8']);
  });

  it('asks again for what was not confirmed in time, and only for that', () => {
    const scenario = begun().when(SLOTS).when(retire('n0'));
    const early = { type: 'PassDeadline', data: { dueAt: later(90_000) } } as const;
    expect(scenario.when(early, { at: later(89_999) }).types).toEqual([]);
    scenario.when(early, { at: later(90_000) });
    expect(last(scenario, 'GenerationRepeated').awaited).toEqual([
      'retirement/n1',
      'birth/maths-1-1',
      'birth/maths-1-2',
    ]);
    expect(scenario.sent).toEqual(['node/n1 CullNode', 'node/maths-1-1 BearNode']);
  });

  it('changes nobody in the control arm `static`, and is over at once', () => {
    const scenario = begun({ strategy: 'static' });
    expect(scenario.types.at(-1)).toBe('GenerationCompleted');
    expect(last(scenario, 'SelectionMade')).toMatchObject({ culled: [], wanted: 0 });
  });

  it('fills the slots with random genomes in the control arm `random-search`', () => {
    const scenario = begun({ strategy: 'random-search' }).when(SLOTS);
    expect(last(scenario, 'OffspringBred')).toMatchObject({ cause: 'immigration', parents: [] });
  });

  it('says again that it is over to a Cluster that has not heard it', () => {
    const scenario = begun({ strategy: 'static' });
    scenario.when(BEGIN);
    expect(scenario.types).toEqual(['CompletionAffirmed']);
    expect(scenario.sent).toEqual(['cluster/maths CloseGeneration']);
  });

  it('breeds for all slots that were granted, also where the pool has changed since it began', () => {
    const genePool = { ...SETTINGS.genePool, models: [] };
    const scenario = begun({ genePool }).when(SLOTS, { reads: viewed() });
    expect(scenario.types.filter((type) => type === 'OffspringBred')).toHaveLength(2);
  });

  it('of a Cluster that has no members left is over at once', () => {
    const reads = viewed();
    const scenario = new Scenario<GenerationCommand, GenerationEvent>(generation, 'maths-1', { reads });
    scenario.when({ ...BEGIN, data: { ...BEGIN.data, members: [] } });
    expect(scenario.types.at(-1)).toBe('GenerationCompleted');
  });

  it('waits for a read model that knows what evolution goes by', () => {
    const reads = networkView(tenNodes());
    const scenario = new Scenario<GenerationCommand, GenerationEvent>(generation, 'maths-1', { reads });
    expect(scenario.when(BEGIN).types).toEqual([]);
  });
});
