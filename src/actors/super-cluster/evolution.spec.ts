import { describe, expect, it } from 'vitest';
import { later, Scenario } from '../../../test/support/decider.ts';
import { judgedNode, SETTINGS, tenNodes } from '../../../test/support/evolution.ts';
import { clusterView, networkView } from '../../../test/support/views.ts';
import type { SuperClusterCommand, SuperClusterEvent } from '../../events/super-cluster.ts';
import type { DeviceView, NetworkView, NodeView } from '../network-view.ts';
import { superCluster } from './index.ts';

type Subject = Scenario<SuperClusterCommand, SuperClusterEvent>;

const CLUSTERS = ['maths', 'logic', 'other'].map((id) => clusterView(id));

function device(id: string, slots: number): readonly [string, DeviceView] {
  return [id, { id, proximityMs: 0, slots, tier: 'low', region: 'eu', owner: 'owner' }];
}

function view(nodes: readonly NodeView[], slots = 12): NetworkView {
  return networkView(nodes, CLUSTERS, 7, {
    devices: new Map([device('laptop', slots)]),
    evolution: { settings: SETTINGS, mode: 'normal' },
  });
}

function subject(): Subject {
  return new Scenario<SuperClusterCommand, SuperClusterEvent>(superCluster, 'main');
}

function claim(id: string, wanted: number, culled: readonly string[] = []): SuperClusterCommand {
  return {
    type: 'ClaimSlots',
    data: {
      claim: id,
      cluster: id.slice(0, id.lastIndexOf('-')),
      wanted,
      culled: culled.map((node) => ({ node, device: 'laptop' })),
    },
  };
}

function granted(scenario: Subject) {
  const [event] = scenario.events;
  if (event?.type !== 'SlotsGranted') throw new Error('nothing was granted');
  return event.data.slots;
}

function measure(generation: string, cluster = 'maths'): SuperClusterCommand {
  return { type: 'MeasureFitness', data: { generation, cluster } };
}

describe('slots', () => {
  it('of culled Nodes go to the offspring of their Cluster, and free ones to the Cluster with most room', () => {
    const slots = granted(subject().when(claim('maths-1', 4, ['n0', 'n1']), { reads: view(tenNodes()) }));
    expect(slots.map(({ replaces }) => replaces)).toEqual(['n0', 'n1', null, null]);
    expect(slots.map(({ cluster }) => cluster)).toEqual(['maths', 'maths', 'logic', 'other']);
    expect(new Set(slots.map(({ node }) => node)).size).toBe(4);
  });

  it('are not granted twice while their Nodes are still to be born', () => {
    const reads = view(tenNodes());
    const scenario = subject().when(claim('maths-1', 2), { reads });
    expect(granted(scenario)).toHaveLength(2);
    expect(granted(scenario.when(claim('logic-1', 2), { reads }))).toHaveLength(0);
    const first = granted(subject().when(claim('maths-1', 2), { reads }))[0]?.node ?? '';
    const bornAndRoom = view([...tenNodes(), judgedNode(first, 0, 0, { cluster: 'logic' })], 13);
    expect(granted(scenario.when(claim('other-1', 2), { reads: bornAndRoom }))).toHaveLength(1);
  });

  it('of a claim that was granted are granted alike when it is asked again', () => {
    const reads = view(tenNodes());
    const scenario = subject().when(claim('maths-1', 2), { reads });
    const before = granted(scenario);
    expect(granted(scenario.when(claim('maths-1', 2), { reads }))).toEqual(before);
  });

  it('are not refused for good by a fleet that has just begun to read', () => {
    const scenario = subject().when(claim('maths-1', 2), { reads: networkView([]) });
    expect(scenario.types).toEqual([]);
    expect(granted(scenario.when(claim('maths-1', 2), { reads: view(tenNodes()) }))).toHaveLength(2);
  });

  it('are free again when a Node was born and culled before anybody looked', () => {
    const reads = view(tenNodes(), 11);
    const scenario = subject().when(claim('maths-1', 1), { reads });
    const child = granted(scenario)[0]?.node ?? '';
    const slots = granted(scenario.when(claim('logic-2', 1, [child]), { reads }));
    expect(slots).toMatchObject([{ replaces: child }]);
  });

  it('of a new device belong to an account with the name of the device', () => {
    const fresh: [string, DeviceView] = [
      'fresh',
      { id: 'fresh', proximityMs: 0, slots: 3, tier: 'low', region: null, owner: null },
    ];
    const reads = { ...view(tenNodes()), devices: new Map([fresh]) };
    const slots = granted(subject().when(claim('maths-1', 2), { reads }));
    expect(slots.map(({ device: id, owner }) => [id, owner])).toEqual([
      ['fresh', 'fresh'],
      ['fresh', 'fresh'],
    ]);
  });

  it('of a geographic Cluster are near it, where there is a choice', () => {
    const near = (id: string, region: string, slots: number): [string, DeviceView] => [
      id,
      { id, proximityMs: 0, slots, tier: 'low', region, owner: 'owner' },
    ];
    const devices = new Map([near('a-far', 'us', 40), near('laptop', 'eu', 10), near('z-near', 'eu', 1)]);
    const clusters = [clusterView('maths', { kind: 'geographic' })];
    const settings = { settings: SETTINGS, mode: 'normal' } as const;
    const reads = networkView(tenNodes(), clusters, 7, { devices, evolution: settings });
    expect(granted(subject().when(claim('maths-1', 1), { reads })).map((slot) => slot.device)).toEqual([
      'z-near',
    ]);
  });

  it('reach every Cluster that has room, whichever Cluster breeds', () => {
    let nodes = [...tenNodes()];
    const scenario = subject();
    const reached = new Set<string>();
    for (let round = 1; round <= 12; round += 1) {
      const reads = view(nodes, nodes.length + 1);
      for (const slot of granted(scenario.when(claim(`maths-${round}`, 3), { reads }))) {
        reached.add(slot.cluster);
        nodes = [...nodes, judgedNode(slot.node, 0, 0, { cluster: slot.cluster })];
      }
    }
    expect([...reached].toSorted()).toEqual(['logic', 'other']);
    expect(nodes.filter(({ cluster }) => cluster === 'logic')).toHaveLength(6);
  });
});

describe('the mode', () => {
  const bad = view(tenNodes().map((node) => judgedNode(node.id, 12, 20)));
  const good = view(tenNodes().map((node) => judgedNode(node.id, 19, 20)));

  it('follows the network’s fitness when the same Cluster has measured it twice', () => {
    const scenario = subject().when(measure('maths-1'), { reads: bad });
    expect(scenario.types).toEqual(['NetworkFitnessMeasured']);
    expect(scenario.when(measure('logic-1', 'logic'), { reads: bad }).types).toEqual([
      'NetworkFitnessMeasured',
    ]);
    scenario.when(measure('maths-2'), { reads: bad });
    expect(scenario.types).toEqual(['NetworkFitnessMeasured', 'EvolutionModeChanged']);
    expect(scenario.events[1]).toMatchObject({
      data: { from: 'normal', to: 'aggressive', score: expect.closeTo(0.6) },
    });
    expect(scenario.context).toMatchObject({ mode: 'aggressive' });
  });

  it('is measured by the Nodes that are there: who is away or culled counts neither for nor against', () => {
    const away = { alive: false };
    const nodes = [
      judgedNode('good', 18, 20),
      judgedNode('away', 0, 20, away),
      judgedNode('culled', 0, 20, { culled: true, ...away }),
    ];
    const scenario = subject().when(measure('maths-1'), { reads: view(nodes) });
    expect(scenario.events).toMatchObject([{ data: { score: expect.closeTo(0.9), nodes: 1, judged: 20 } }]);
  });

  it('is not measured where nobody is there, and may be once somebody is', () => {
    const scenario = subject().when(measure('maths-1'), {
      reads: view([judgedNode('away', 0, 20, { alive: false })]),
    });
    expect(scenario.types).toEqual([]);
    expect(scenario.when(measure('maths-1'), { reads: good }).types).toEqual(['NetworkFitnessMeasured']);
  });

  it('does not follow one Cluster alone when others have measured otherwise', () => {
    const scenario = subject().when(measure('maths-1'), { reads: bad });
    scenario.when(measure('logic-1', 'logic'), { reads: good }).when(measure('maths-2'), { reads: bad });
    expect(scenario.types).toEqual(['NetworkFitnessMeasured']);
  });

  it('does not wait for a Cluster that has nothing to do any more', () => {
    const scenario = subject().when(measure('logic-1', 'logic'), { reads: good });
    scenario.when(measure('maths-1'), { reads: bad, at: later(SETTINGS.generationMs) });
    expect(scenario.types).toEqual(['NetworkFitnessMeasured']);
    scenario.when(measure('maths-2'), { reads: bad, at: later(2 * SETTINGS.generationMs) });
    expect(scenario.types).toEqual(['NetworkFitnessMeasured']);
    scenario.when(measure('maths-3'), { reads: bad, at: later(2 * SETTINGS.generationMs + 1) });
    expect(scenario.types).toEqual(['NetworkFitnessMeasured', 'EvolutionModeChanged']);
  });

  it('begins anew to measure after it has changed', () => {
    const scenario = subject()
      .when(measure('maths-1'), { reads: bad })
      .when(measure('maths-2'), { reads: bad });
    expect(scenario.types).toContain('EvolutionModeChanged');
    expect(scenario.when(measure('maths-3'), { reads: good }).types).toEqual(['NetworkFitnessMeasured']);
    expect(scenario.when(measure('maths-4'), { reads: good }).types).toContain('EvolutionModeChanged');
  });

  it('does not flutter', () => {
    const scenario = subject();
    for (let generation = 1; generation < 10; generation += 1) {
      scenario.when(measure(`maths-${generation}`), { reads: generation % 2 === 0 ? bad : good });
      expect(scenario.types).toEqual(['NetworkFitnessMeasured']);
    }
  });

  it('is measured once for a generation', () => {
    const scenario = subject().when(measure('maths-1'), { reads: good });
    expect(scenario.when(measure('maths-1'), { reads: good }).types).toEqual([]);
  });
});

describe('a merge', () => {
  function ask(cluster: string, into: string): SuperClusterCommand {
    return { type: 'ApproveMerge', data: { cluster, into, cause: 'small' } };
  }

  it('is approved, but no two Clusters go over to each other', () => {
    const reads = view(tenNodes());
    const scenario = subject().when(ask('maths', 'logic'), { reads });
    expect(scenario.sent).toEqual(['cluster/maths MergeInto']);
    expect(scenario.when(ask('logic', 'maths'), { reads }).types).toEqual([]);
    expect(scenario.when(ask('other', 'maths'), { reads }).types).toEqual([]);
    expect(scenario.when(ask('other', 'logic'), { reads }).types).toEqual(['MergeApproved']);
  });

  it('is not approved where all together would be more than a Cluster holds', () => {
    const of = (cluster: string, count: number): readonly NodeView[] =>
      Array.from({ length: count }, (_, index) => judgedNode(`${cluster}-${index}`, 1, 2, { cluster }));
    const reads = view([...of('logic', 43), ...of('maths', 4), ...of('other', 4)]);
    const scenario = subject().when(ask('maths', 'logic'), { reads });
    expect(scenario.types).toEqual(['MergeApproved']);
    expect(scenario.when(ask('other', 'logic'), { reads }).types).toEqual([]);
  });

  it('may be that of a Cluster that others have joined before', () => {
    const reads = view(tenNodes());
    const scenario = subject().when(ask('other', 'maths'), { reads });
    expect(scenario.when(ask('maths', 'logic'), { reads }).types).toEqual(['MergeApproved']);
  });
});

describe('what evolution goes by', () => {
  function configure(change: object, onlyIfNone: boolean): SuperClusterCommand {
    return { type: 'ConfigureEvolution', data: { settings: { ...SETTINGS, ...change }, onlyIfNone } };
  }

  it('is recorded when it is set, and when it changes', () => {
    const scenario = subject().when(configure({}, false));
    expect(scenario.types).toEqual(['EvolutionConfigured']);
    expect(scenario.when(configure({}, false)).types).toEqual([]);
    expect(scenario.when(configure({ minTasks: 3 }, false)).types).toEqual(['EvolutionConfigured']);
  });

  it('is left alone by a default', () => {
    const scenario = subject().when(configure({ minTasks: 3 }, false));
    expect(scenario.when(configure({}, true)).types).toEqual([]);
    expect(subject().when(configure({}, true)).types).toEqual(['EvolutionConfigured']);
  });
});
