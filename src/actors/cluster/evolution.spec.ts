import { describe, expect, it } from 'vitest';
import { later, Scenario } from '../../../test/support/decider.ts';
import { judgedNode, SETTINGS } from '../../../test/support/evolution.ts';
import { clusterView, matrixRow, networkView } from '../../../test/support/views.ts';
import type { ClusterCommand, ClusterEvent } from '../../events/cluster.ts';
import type { GoldTask } from '../../events/evolution.ts';
import type { Vote } from '../../events/values.ts';
import type { NodeView } from '../network-view.ts';
import { cluster } from './index.ts';

type Subject = Scenario<ClusterCommand, ClusterEvent>;

const GOLD: GoldTask = {
  prompt: 'What is 2 + 3?',
  taskType: 'math.arithmetic',
  expected: { kind: 'answer', value: '5' },
};

const RIGHT: Vote = {
  outcome: 'agreed',
  agreement: 'exact',
  chosen: 0,
  answer: '5',
  kind: 'number',
  confidence: 0.9,
};

const TASK: ClusterCommand = {
  type: 'DistributeTask',
  data: {
    queryId: 'q',
    subtaskId: 's',
    attempt: 1,
    prompt: 'What is 7 × 8?',
    taskType: 'math.arithmetic',
    complexity: 'simple',
    stakes: 'normal',
    nodes: 1,
    guests: [],
    dueAt: later(60_000),
  },
};

function member(node: string, specialization = 'mathematical') {
  return { node, device: 'laptop', owner: 'owner', specialization, pair: 'maths-a+maths-b' };
}

function reads(nodes: readonly NodeView[], goldShare = 0) {
  const settings = { ...SETTINGS, goldShare };
  const clusters = [clusterView('maths'), clusterView('other')];
  return networkView(nodes, clusters, 7, { evolution: { settings, mode: 'normal' } });
}

function formed(nodes: readonly NodeView[] = [judgedNode('n0', 9, 10), judgedNode('n1', 9)]): Subject {
  const scenario = new Scenario<ClusterCommand, ClusterEvent>(cluster, 'maths', { reads: reads(nodes) });
  const data = { cluster: 'maths', name: 'Maths', specialization: 'mathematical', generation: 0, saga: null };
  scenario.when({ type: 'FormCluster', data });
  for (const { id, specialization } of nodes) {
    scenario.when({ type: 'AdmitNode', data: member(id, specialization) });
  }
  return scenario;
}

function report(node: string, successes: number): ClusterCommand {
  return { type: 'ReportPerformance', data: { node, successes } };
}

function examine(taskId: string, node = 'n0'): ClusterCommand {
  return { type: 'ExamineNode', data: { taskId, node, task: GOLD, dueAt: later(60_000) } };
}

function vote(taskId: string, change: Partial<Vote> = {}): ClusterCommand {
  const ballot = { subtaskId: taskId, attempt: 1, taskId, node: 'n0', responseMs: 12 };
  return { type: 'CountVote', data: { ...ballot, vote: { ...RIGHT, ...change } } };
}

describe('gold tasks', () => {
  it('reach the Node as any other task, and its answer is held against the known one', () => {
    const scenario = formed().when(examine('g1'));
    expect(scenario.sent).toEqual(['node/n0 AssignTask']);
    expect(JSON.stringify(scenario.effects)).not.toContain('expected');
    scenario.when(vote('g1'));
    expect(scenario.events[0]).toMatchObject({ type: 'GoldTaskJudged', data: { correct: true } });
    expect(scenario.effects[0]).toMatchObject({
      command: { type: 'RecordPerformance', data: { taskId: 'g1', correct: true, basis: 'gold' } },
    });
  });

  it('give the Node the time that is on record, and the Cluster some more to hear its word', () => {
    const scenario = formed().when(examine('g1'));
    expect(scenario.effects).toMatchObject([
      { kind: 'command', command: { data: { taskId: 'g1', dueAt: later(60_000) } } },
      { kind: 'timer', dueAt: later(65_000), command: { data: { taskId: 'g1' } } },
    ]);
  });

  it('are judged once, whatever is heard later', () => {
    const scenario = formed().when(examine('g1')).when(vote('g1'));
    expect(scenario.types).toEqual(['GoldTaskJudged']);
    expect(scenario.when(vote('g1', { answer: '6' })).types).toEqual([]);
  });

  it.each([
    ['another answer', vote('g1', { answer: '6' })],
    ['an abstention', vote('g1', { outcome: 'abstained', answer: '', kind: 'none', chosen: null })],
    [
      'a vote that does not come',
      {
        type: 'LoseVote',
        data: { subtaskId: 'g1', attempt: 1, taskId: 'g1', node: 'n0', reason: 'away' },
      } as ClusterCommand,
    ],
  ])('count %s as wrong', (_what, command) => {
    const scenario = formed().when(examine('g1')).when(command);
    expect(scenario.events[0]).toMatchObject({ type: 'GoldTaskJudged', data: { correct: false } });
  });

  it('are given up some time after they were due, if nothing was heard of them', () => {
    const scenario = formed().when(examine('g1'));
    const pass: ClusterCommand = { type: 'PassDeadline', data: { taskId: 'g1' } };
    expect(scenario.when(pass, { at: later(60_000) }).types).toEqual([]);
    expect(scenario.when(pass, { at: later(65_000) }).types).toEqual(['GoldTaskJudged']);
    expect(scenario.when(pass, { at: later(65_000) }).types).toEqual([]);
  });

  it('are asked once each, and only of members', () => {
    const scenario = formed().when(examine('g1'));
    expect(scenario.when(examine('g1')).types).toEqual([]);
    expect(scenario.when(vote('g1')).when(examine('g1')).types).toEqual([]);
    expect(scenario.when(examine('g2', 'stranger')).types).toEqual([]);
  });

  it('are mixed in for the Node of which least is known', () => {
    const rows = { 'math.arithmetic': matrixRow(50, 0) };
    const nodes = [judgedNode('n0', 19, 20, { rows }), judgedNode('n1', 9, 12), judgedNode('n2', 4, 5)];
    const scenario = formed(nodes).when(TASK, { reads: reads(nodes, 1) });
    const issued = scenario.events.find(({ type }) => type === 'GoldTaskIssued');
    // It is due with the votes on the task that was handed out with it.
    expect(issued).toMatchObject({ data: { node: 'n2', reason: 'mixed-in', dueAt: later(51_000) } });
    expect(scenario.events[0]).toMatchObject({ data: { voteBy: later(51_000) } });
    expect(formed(nodes).when(TASK, { reads: reads(nodes, 0) }).types).not.toContain('GoldTaskIssued');
  });

  it.each([
    ['whose device is away', { alive: false }],
    ['that has too much in hand', { inFlight: 17 }],
  ])('are not mixed in for a Node %s', (_which, change) => {
    const nodes = [judgedNode('n0', 19, 20), judgedNode('n1', 9, 12), judgedNode('n2', 4, 5, change)];
    const scenario = formed(nodes).when(TASK, { reads: reads(nodes, 1) });
    const examined = scenario.events.flatMap((event) => ('node' in event.data ? [event.data.node] : []));
    expect(examined).not.toContain('n2');
    expect(examined).toHaveLength(1);
  });

  it('are not mixed in for a Node that was given the task', () => {
    const nodes = [judgedNode('n0', 4, 5)];
    const scenario = formed(nodes).when(TASK, { reads: reads(nodes, 1) });
    expect(scenario.sent).toEqual(['node/n0 AssignTask']);
  });
});

describe('the generations of a Cluster', () => {
  it('end after enough successful tasks of its members together', () => {
    const scenario = formed().when(report('n0', 5)).when(report('n1', 5)).when(report('n0', 10));
    expect(scenario.types).toEqual(['PerformanceReported']);
    scenario.when(report('n1', 10));
    expect(scenario.types).toEqual(['PerformanceReported', 'GenerationOpened']);
    expect(scenario.events[1]).toMatchObject({ data: { generation: 1, trigger: 'tasks', successes: 20 } });
    expect(scenario.sent).toEqual(['generation/maths-1 BeginGeneration']);
  });

  it('end after enough time, counted from the first success', () => {
    const scenario = formed().when(report('n0', 5));
    const pass: ClusterCommand = { type: 'PassDeadline', data: { generation: 1 } };
    expect(scenario.when(pass, { at: later(3_599_999) }).types).toEqual([]);
    expect(scenario.when(pass, { at: later(3_600_000) }).types).toEqual(['GenerationOpened']);
  });

  it('end in time also where the read model has just begun to be read: the deadline comes once', () => {
    const scenario = formed().when(report('n0', 5));
    const pass: ClusterCommand = { type: 'PassDeadline', data: { generation: 1 } };
    scenario.when(pass, { at: later(3_600_000), reads: networkView([]) });
    expect(scenario.types).toEqual(['GenerationOpened']);
  });

  it('count no success twice, and nobody who is no member', () => {
    const scenario = formed().when(report('n0', 5));
    expect(scenario.when(report('n0', 5)).types).toEqual([]);
    expect(scenario.when(report('stranger', 5)).types).toEqual([]);
  });

  it('end in time although nobody succeeds: the first task starts the clock', () => {
    const scenario = formed();
    const data = { queryId: 'q', subtaskId: 's', attempt: 1, prompt: 'What is 7 × 8?', nodes: 1, guests: [] };
    const more = { taskType: 'math.arithmetic', complexity: 'simple', stakes: 'normal' } as const;
    scenario.when({ type: 'DistributeTask', data: { ...data, ...more, dueAt: later(60_000) } });
    expect(scenario.types).toEqual(['TaskDistributed', 'GenerationScheduled']);
    scenario.when({ type: 'DistributeTask', data: { ...data, ...more, attempt: 2, dueAt: later(60_000) } });
    expect(scenario.types).toEqual(['TaskDistributed']);
    const pass: ClusterCommand = { type: 'PassDeadline', data: { generation: 1 } };
    expect(scenario.when(pass, { at: later(3_600_000) }).events).toMatchObject([
      { type: 'GenerationOpened', data: { trigger: 'time', successes: 0 } },
    ]);
  });

  it('end in time although the Node that is asked directly never succeeds: a report of no success starts the clock', () => {
    const scenario = formed().when(report('n0', 0));
    expect(scenario.types).toEqual(['GenerationScheduled']);
    expect(scenario.when(report('n0', 0)).types).toEqual([]);
  });

  it('count what succeeds while the one before is judged', () => {
    const scenario = formed().when(report('n0', 15)).when(report('n1', 15)).when(report('n0', 30));
    expect(scenario.events[1]).toMatchObject({ type: 'GenerationOpened', data: { generation: 1 } });
    scenario.when(report('n1', 30));
    const close: ClusterCommand = { type: 'CloseGeneration', data: { generation: 1, culled: 0, born: 0 } };
    scenario.when(close).when(report('n0', 35));
    expect(scenario.events[1]).toMatchObject({
      type: 'GenerationOpened',
      data: { generation: 2, successes: 20 },
    });
  });

  it('do not come to a Cluster that was dissolved', () => {
    const scenario = formed().when(report('n0', 5));
    const approved: ClusterCommand = { type: 'MergeInto', data: { into: 'other', cause: 'small' } };
    expect(scenario.when(approved).types).toEqual(['ClusterMerged']);
    const pass: ClusterCommand = { type: 'PassDeadline', data: { generation: 1 } };
    expect(scenario.when(pass, { at: later(3_600_000) }).types).toEqual([]);
    expect(scenario.when(report('n0', 10)).types).toEqual([]);
  });

  it('do not come where nothing says what evolution goes by', () => {
    expect(formed().when(report('n0', 5), { reads: networkView([]) }).types).toEqual([]);
  });

  it('are judged one at a time, and the saga is asked again when it keeps silent', () => {
    const open: ClusterCommand = { type: 'OpenGeneration', data: { generation: 1 } };
    const scenario = formed().when(open);
    expect(scenario.types).toEqual(['GenerationOpened']);
    expect(scenario.when(open).types).toEqual([]);
    const pass: ClusterCommand = { type: 'PassDeadline', data: { generation: 1 } };
    expect(scenario.when(pass, { at: later(60_000) }).types).toEqual(['GenerationDemanded']);
    expect(scenario.sent).toEqual(['generation/maths-1 BeginGeneration']);
    const close: ClusterCommand = { type: 'CloseGeneration', data: { generation: 1, culled: 0, born: 0 } };
    expect(scenario.when(close).types[0]).toBe('GenerationClosed');
    expect(scenario.when(close).types).toEqual([]);
  });

  it('are asked for ever more rarely while all devices are away, and still every hour', () => {
    const scenario = formed().when({ type: 'OpenGeneration', data: { generation: 1 } });
    const asked: number[] = [];
    for (let minute = 1; minute <= 8 * 60; minute += 1) {
      const pass: ClusterCommand = { type: 'PassDeadline', data: { generation: 1 } };
      if (scenario.when(pass, { at: later(minute * 60_000) }).types.length > 0) asked.push(minute);
    }
    expect(asked).toEqual([1, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304, 364, 424]);
  });
});

describe('the shape of a Cluster', () => {
  const close: ClusterCommand = { type: 'CloseGeneration', data: { generation: 1, culled: 0, born: 0 } };

  function closed(nodes: readonly NodeView[]): Subject {
    return formed(nodes)
      .when({ type: 'OpenGeneration', data: { generation: 1 } })
      .when(close);
  }

  function many(count: number, specialization: string, right = 19): readonly NodeView[] {
    return Array.from({ length: count }, (_, index) =>
      judgedNode(`${specialization}-${index}`, right, 20, { specialization, cluster: 'maths' }),
    );
  }

  it('is named by what most of its members share', () => {
    const scenario = closed(many(10, 'logical'));
    expect(scenario.events).toContainEqual(
      expect.objectContaining({
        type: 'ClusterCharacterised',
        data: expect.objectContaining({ kind: 'specialized', specialization: 'logical', share: 1 }),
      }),
    );
  });

  it('is not named after the only region that is known: devices that name none are of no other one', () => {
    const nodes = [...many(5, 'mathematical'), ...many(5, 'logical')];
    const device = { id: 'laptop', proximityMs: 0, slots: 10, tier: null, region: 'eu', owner: 'owner' };
    const devices = new Map([device, { ...device, id: 'phone', region: null }].map((one) => [one.id, one]));
    const scenario = formed(nodes).when({ type: 'OpenGeneration', data: { generation: 1 } });
    scenario.when(close, { reads: { ...reads(nodes), devices } });
    const named = scenario.events.find(({ type }) => type === 'ClusterCharacterised');
    expect(named).toMatchObject({ data: { kind: 'hybrid' } });
  });

  it('splits when it has grown large, and its members go over together', () => {
    const scenario = closed([...many(30, 'mathematical'), ...many(15, 'logical')]);
    const split = scenario.events.find(({ type }) => type === 'ClusterSplit');
    expect(split).toMatchObject({ data: { specialization: 'logical' } });
    expect(scenario.sent.filter((sent) => sent.endsWith('MoveNode'))).toHaveLength(15);
    expect(scenario.sent.filter((sent) => sent.endsWith('FormCluster'))).toHaveLength(1);
  });

  it('asks to join another one when it is too small, and goes when that is approved', () => {
    const scenario = formed(many(3, 'mathematical'));
    const others = Array.from({ length: 8 }, (_, index) =>
      judgedNode(`o${index}`, 19, 20, { cluster: 'other' }),
    );
    const view = reads([...many(3, 'mathematical'), ...others]);
    scenario.when({ type: 'OpenGeneration', data: { generation: 1 } }).when(close, { reads: view });
    expect(scenario.types).toContain('MergeProposed');
    expect(scenario.sent).toContain('superCluster/main ApproveMerge');
    scenario.when({ type: 'MergeInto', data: { into: 'other', cause: 'small' } });
    expect(scenario.types).toEqual(['ClusterMerged']);
    expect(scenario.sent).toHaveLength(3);
  });

  it('is nothing any more once it was dissolved, even if its generation ends after that', () => {
    const scenario = formed(many(3, 'mathematical')).when({
      type: 'OpenGeneration',
      data: { generation: 1 },
    });
    scenario.when({ type: 'MergeInto', data: { into: 'other', cause: 'small' } });
    const others = Array.from({ length: 8 }, (_, index) =>
      judgedNode(`o${index}`, 19, 20, { cluster: 'other' }),
    );
    scenario.when(close, { reads: reads([...many(3, 'mathematical'), ...others]) });
    expect(scenario.types).toEqual(['GenerationClosed']);
  });

  it('lets a Node go that has come before the Cluster was formed', () => {
    const scenario = new Scenario<ClusterCommand, ClusterEvent>(cluster, 'maths', { reads: reads([]) });
    scenario.when({ type: 'AdmitNode', data: member('early') });
    scenario.when({ type: 'DismissNode', data: { node: 'early', reason: 'culled' } });
    expect(scenario.types).toEqual(['NodeDismissed']);
    expect(scenario.context).toMatchObject({ members: {} });
  });

  it('does not take in a Node that was culled before its birth was reported', () => {
    const scenario = formed().when({ type: 'DismissNode', data: { node: 'early', reason: 'culled' } });
    expect(scenario.types).toEqual(['NodeDismissed']);
    expect(scenario.when({ type: 'AdmitNode', data: member('early') }).types).toEqual([]);
    expect(scenario.when({ type: 'DismissNode', data: { node: 'early', reason: 'culled' } }).types).toEqual(
      [],
    );
  });

  it('sends on a Node that is born into it after it was dissolved', () => {
    const scenario = formed(many(1, 'mathematical')).when({
      type: 'MergeInto',
      data: { into: 'other', cause: 'small' },
    });
    scenario.when({ type: 'AdmitNode', data: member('late') });
    expect(scenario.types).toEqual(['NodeRedirected']);
    expect(scenario.sent).toEqual(['node/late MoveNode']);
  });
});
