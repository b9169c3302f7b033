import { describe, expect, it } from 'vitest';
import { later, Scenario } from '../../../test/support/decider.ts';
import { clusterView, matrixRow, networkView, nodeView } from '../../../test/support/views.ts';
import type { RoutingRequest, SuperClusterCommand, SuperClusterEvent } from '../../events/super-cluster.ts';
import type { NetworkView } from '../network-view.ts';
import { NEW_TRUST } from '../verifier/trust.ts';
import { superCluster } from './index.ts';
import type { SuperClusterContext } from './machine.ts';

type Routed = Extract<SuperClusterEvent, { type: 'SubtaskRouted' }>['data'];

const FORM: SuperClusterCommand = {
  type: 'FormSuperCluster',
  data: { superCluster: 'main', saga: { kind: 'genesis', id: 'main' } },
};

const VIEW = networkView(
  [
    nodeView('maths-01', { rows: { 'math.arithmetic': matrixRow(90, 10) } }),
    nodeView('maths-02', { rows: { 'math.arithmetic': matrixRow(60, 40) } }),
    nodeView('code-01', { cluster: 'code', specialization: 'coding' }),
  ],
  [clusterView('maths'), clusterView('code', { specialization: 'coding' })],
);

function route(change: Partial<RoutingRequest> = {}): SuperClusterCommand {
  return {
    type: 'RouteSubtask',
    data: {
      queryId: 'q1',
      subtaskId: 's1',
      attempt: 1,
      prompt: 'What is 2 + 2?',
      taskType: 'math.arithmetic',
      complexity: 'simple',
      stakes: 'normal',
      nodes: 1,
      prefer: 'node',
      specialization: 'mathematical',
      exclude: [],
      checkable: true,
      dueAt: later(5000),
      ...change,
    },
  };
}

function settle(subtaskId: string): SuperClusterCommand {
  return { type: 'SettleSubtask', data: { queryId: 'q1', subtaskId } };
}

type Subject = Scenario<SuperClusterCommand, SuperClusterEvent>;

function formed(reads: NetworkView = VIEW): Subject {
  return new Scenario<SuperClusterCommand, SuperClusterEvent>(superCluster, 'main', { reads }).when(FORM);
}

function routed(scenario: Subject): Routed {
  const [event] = scenario.events;
  if (event?.type !== 'SubtaskRouted') throw new Error(`nothing was routed: ${scenario.types.join()}`);
  return event.data;
}

/** Routes with message after message until the draws make it what is looked for. */
function routeUntil(
  command: SuperClusterCommand,
  reads: NetworkView,
  found: (data: Routed) => boolean,
): Routed {
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    const scenario = formed(reads).when(command, { messageId: `draw-${attempt}` });
    const data = routed(scenario);
    if (found(data)) return data;
  }
  throw new Error('no draw made it so');
}

function contextOf(scenario: Subject): SuperClusterContext {
  return scenario.context as SuperClusterContext;
}

describe('the Super Cluster', () => {
  it('is formed once', () => {
    const scenario = formed();
    expect(scenario.sent).toEqual(['genesis/main ConfirmBirth']);
    expect(scenario.when(FORM).types).toEqual([]);
  });

  it('sends a simple subtask straight to one Node, which answers the query', () => {
    const scenario = formed().when(route());
    const { mode, taskId, readPosition, draws } = routed(scenario);
    expect(mode).toBe('node');
    expect(readPosition).toBe(7);
    expect(draws.length).toBeGreaterThan(0);
    const [effect] = scenario.effects;
    expect(effect).toMatchObject({
      kind: 'command',
      to: { kind: 'node' },
      command: { type: 'AssignTask', data: { taskId, origin: { kind: 'query', id: 'q1' } } },
    });
  });

  it('sends a medium one to a Cluster, and a mixed one with a guest from outside it', () => {
    const medium = formed().when(route({ nodes: 3, prefer: 'cluster' }));
    expect(medium.sent[0]).toMatch(/^cluster\/\w+ DistributeTask$/);
    expect(routed(medium).guests).toEqual([]);
    const mixed = routeUntil(route({ nodes: 3, prefer: 'mixed' }), VIEW, ({ guests }) => guests.length > 0);
    expect(mixed.mode).toBe('mixed');
    const [host] = mixed.chosen;
    expect(host?.kind).toBe('cluster');
    for (const guest of mixed.guests) expect(VIEW.nodes.get(guest.node)?.cluster).not.toBe(host?.id);
  });

  it('lets others look at what a new Node says, unless computation would find it wrong', () => {
    const view = networkView([nodeView('maths-01', { trust: NEW_TRUST })], [clusterView('maths')]);
    const open = formed(view).when(route({ checkable: false }));
    expect(routed(open)).toMatchObject({ mode: 'cluster', replicatedFor: 'new-node', nodes: 3 });
    const checkable = formed(view).when(route({ checkable: true }));
    expect(routed(checkable)).toMatchObject({ mode: 'node', replicatedFor: null, nodes: 1 });
  });

  it('spot-checks about one in twenty of what a proven Node says', () => {
    let checked = 0;
    const command = route({ checkable: false });
    for (let message = 0; message < 400; message += 1) {
      const scenario = formed().when(command, { messageId: `spot-${message}` });
      if (routed(scenario).replicatedFor === 'spot-check') checked += 1;
    }
    expect(checked).toBeGreaterThan(6);
    expect(checked).toBeLessThan(40);
  });

  it('answers a repeated request with nothing, before and after it is settled', () => {
    const scenario = formed().when(route());
    expect(scenario.when(route()).types).toEqual([]);
    expect(scenario.when(settle('s1')).types).toEqual(['SubtaskSettled']);
    expect(scenario.when(settle('s1')).types).toEqual([]);
    expect(scenario.when(route()).types).toEqual([]);
    expect(scenario.when(route({ attempt: 2 })).types).toEqual([]);
    expect(contextOf(scenario).inFlight).toEqual({});
  });

  it('does not route what is over', () => {
    expect(formed().when(route(), { at: later(5000) }).types).toEqual([]);
  });

  it('asks somebody else when the first one kept silent', () => {
    const scenario = formed().when(route());
    const [first] = routed(scenario).chosen;
    const again = route({ attempt: 2, dueAt: later(8000) });
    scenario.when(again, { at: later(5001) });
    const { chosen, exclude } = routed(scenario);
    expect(chosen.map((one) => one.id)).not.toContain(first?.id);
    expect(exclude).toEqual([first]);
  });

  it('remembers who kept silent although others were routed since', () => {
    const scenario = formed().when(route());
    const [first] = routed(scenario).chosen;
    scenario.when(route({ subtaskId: 'other', dueAt: later(9000) }), { at: later(5001) });
    scenario.when(route({ attempt: 2, dueAt: later(8000) }), { at: later(5002) });
    expect(routed(scenario).chosen.map((one) => one.id)).not.toContain(first?.id);
  });

  it('names a resource that failed only once', () => {
    const scenario = formed().when(route());
    const failed = routed(scenario).chosen.slice(0, 1);
    scenario.when(route({ attempt: 2, exclude: failed }));
    expect(routed(scenario).exclude).toEqual(failed);
  });

  it('says when nobody is there, and tries again on the next attempt', () => {
    const away = networkView([nodeView('maths-01', { alive: false })], [clusterView('maths')]);
    const scenario = formed(away).when(route());
    expect(scenario.types).toEqual(['RoutingFailed']);
    expect(scenario.sent).toEqual(['query/q1 RecordFailure']);
    expect(scenario.when(route(), { reads: VIEW }).types).toEqual([]);
    expect(scenario.when(route({ attempt: 2 }), { reads: VIEW }).types).toEqual(['SubtaskRouted']);
    expect(formed(networkView([])).when(route()).events).toMatchObject([
      { data: { reason: 'The network has no Node yet.' } },
    ]);
  });

  it('lets a question that comes before it is formed wait for it', () => {
    const scenario = new Scenario<SuperClusterCommand, SuperClusterEvent>(superCluster, 'main', {
      reads: VIEW,
    });
    scenario.when(route());
    expect(scenario.sent).toEqual(['query/q1 RecordFailure']);
    scenario.when(FORM).when(route({ attempt: 2 }));
    expect(scenario.types).toEqual(['SubtaskRouted']);
    expect(scenario.when(settle('s1')).types).toEqual(['SubtaskSettled']);
    const early = new Scenario<SuperClusterCommand, SuperClusterEvent>(superCluster, 'main', { reads: VIEW });
    expect(early.when(route()).when(settle('s1')).types).toEqual(['SubtaskSettled']);
    expect(early.when(FORM).when(route({ subtaskId: 's2' })).types).toEqual(['SubtaskRouted']);
  });

  it('forgets subtasks that were never settled some time after they were due', () => {
    const scenario = formed();
    for (let hour = 0; hour < 50; hour += 1) {
      const at = later(hour * 3_600_000);
      scenario.when(route({ subtaskId: `s${hour}`, dueAt: later(hour * 3_600_000 + 5000) }), { at });
    }
    expect(Object.keys(contextOf(scenario).inFlight)).toEqual(['s49']);
    expect(scenario.when(settle('s49'), { at: later(50 * 3_600_000) }).types).toEqual(['SubtaskSettled']);
  });

  it('chooses the better record nearly always', () => {
    let best = 0;
    for (let message = 0; message < 200; message += 1) {
      const scenario = formed().when(route(), { messageId: `best-${message}` });
      if (routed(scenario).chosen[0]?.id === 'maths-01') best += 1;
    }
    expect(best).toBeGreaterThan(170);
  });
});
