import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { later, Scenario, START } from '../../../test/support/decider.ts';
import { matrixRow, networkView, nodeView } from '../../../test/support/views.ts';
import type { ClusterCommand, ClusterEvent, Member } from '../../events/cluster.ts';
import type { Vote } from '../../events/values.ts';
import { cluster } from './index.ts';
import type { ClusterContext } from './machine.ts';
import { MAX_CLUSTER_NODES } from './reshaping.ts';

type Distribution = Extract<ClusterCommand, { type: 'DistributeTask' }>['data'];
type Distributed = Extract<ClusterEvent, { type: 'TaskDistributed' }>['data'];

const DUE = later(10_000);
const VOTE_BY = later(8500);

const FORM: ClusterCommand = {
  type: 'FormCluster',
  data: {
    cluster: 'maths',
    name: 'Mathematicians',
    specialization: 'mathematical',
    generation: 0,
    saga: { kind: 'genesis', id: 'main' },
  },
};

const PASS: ClusterCommand = { type: 'PassDeadline', data: { subtaskId: 's1', attempt: 1 } };

function member(node: string, pair = 'a+b'): Member {
  return { node, device: 'laptop', owner: 'owner', specialization: 'mathematical', pair };
}

function admit(node: string, pair?: string): ClusterCommand {
  return { type: 'AdmitNode', data: member(node, pair) };
}

function distribute(change: Partial<Distribution> = {}): ClusterCommand {
  return {
    type: 'DistributeTask',
    data: {
      queryId: 'q1',
      subtaskId: 's1',
      attempt: 1,
      prompt: 'What is the capital of Japan?',
      taskType: 'knowledge.capital',
      complexity: 'medium',
      stakes: 'normal',
      nodes: 3,
      guests: [],
      dueAt: DUE,
      ...change,
    },
  };
}

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];

/** n1 is the best, n5 the worst. */
const VIEW = networkView(
  NODES.map((id, index) =>
    nodeView(id, { rows: { 'knowledge.capital': matrixRow(90 - 20 * index, 5 + 20 * index) } }),
  ),
);

function formed(reads = VIEW, nodes = NODES): Scenario<ClusterCommand, ClusterEvent> {
  const scenario = new Scenario<ClusterCommand, ClusterEvent>(cluster, 'maths', { reads }).when(FORM);
  for (const node of nodes) scenario.when(admit(node));
  return scenario;
}

function sharesOf(scenario: Scenario<ClusterCommand, ClusterEvent>): Distributed['shares'] {
  return scenario.history.flatMap((event) => {
    if (event.type === 'TaskDistributed') return event.data.shares;
    return event.type === 'TiebreakCalled' ? [event.data.share] : [];
  });
}

function vote(answer: string, confidence = 0.9): Vote {
  const none = answer === '';
  return {
    outcome: none ? 'abstained' : 'agreed',
    agreement: none ? 'different' : 'exact',
    chosen: none ? null : 0,
    answer,
    kind: none ? 'none' : 'name',
    confidence: none ? 0 : confidence,
  };
}

function count(share: { taskId: string; node: string } | undefined, ballot: Vote): ClusterCommand {
  const { taskId = '', node = '' } = share ?? {};
  return {
    type: 'CountVote',
    data: { subtaskId: 's1', attempt: 1, taskId, node, vote: ballot, responseMs: 20 },
  };
}

function lose(share: { taskId: string; node: string } | undefined): ClusterCommand {
  const { taskId = '', node = '' } = share ?? {};
  return { type: 'LoseVote', data: { subtaskId: 's1', attempt: 1, taskId, node, reason: 'model-missing' } };
}

function contextOf(scenario: Scenario<ClusterCommand, ClusterEvent>): ClusterContext {
  return scenario.context as ClusterContext;
}

describe('a Cluster', () => {
  it('is formed once and admits a Node once', () => {
    const scenario = new Scenario<ClusterCommand, ClusterEvent>(cluster, 'maths').when(FORM);
    expect(scenario.sent).toEqual(['genesis/main ConfirmBirth']);
    expect(scenario.when(FORM).types).toEqual([]);
    expect(scenario.when(admit('n1')).types).toEqual(['NodeAdmitted']);
    expect(scenario.when(admit('n1')).types).toEqual([]);
  });

  it('admits a Node before it is formed, since no command relies on an order', () => {
    const scenario = new Scenario<ClusterCommand, ClusterEvent>(cluster, 'maths').when(admit('n1'));
    expect(scenario.types).toEqual(['NodeAdmitted']);
    expect(scenario.when(FORM).types).toEqual(['ClusterFormed']);
    expect(Object.keys(contextOf(scenario).members)).toEqual(['n1']);
  });

  it('makes two of itself when it is full, so that nobody is without a Cluster', () => {
    const many = Array.from(
      { length: MAX_CLUSTER_NODES },
      (_, index) => `n${String(index).padStart(2, '0')}`,
    );
    const scenario = formed(VIEW, many).when(admit('one-more'), { reads: VIEW });
    expect(scenario.types).toEqual(['NodeAdmitted', 'ClusterSplit']);
    expect(scenario.sent.filter((sent) => sent.endsWith('MoveNode')).length).toBeGreaterThanOrEqual(5);
    // Those on their way out count no more, so the next one makes no third Cluster.
    expect(scenario.when(admit('another'), { reads: VIEW }).types).toEqual(['NodeAdmitted']);
  });

  it('hands a task to the best Nodes and one by lot, with a clock that leaves time to count', () => {
    const scenario = formed().when(distribute());
    const nodes = sharesOf(scenario).map((share) => share.node);
    expect(nodes).toHaveLength(3);
    expect(nodes.slice(0, 2)).toEqual(['n1', 'n2']);
    expect(['n3', 'n4', 'n5']).toContain(nodes[2]);
    expect(scenario.sent).toEqual(nodes.map((node) => `node/${node} AssignTask`));
    expect(scenario.effects.at(-1)).toMatchObject({ kind: 'timer', dueAt: VOTE_BY });
    expect(scenario.events[0]?.data).toMatchObject({ readPosition: 7, voteBy: VOTE_BY });
    expect(new Set(sharesOf(scenario).map((share) => share.taskId)).size).toBe(3);
  });

  it('leaves out Nodes whose device is away, and asks guests besides', () => {
    const reads = networkView(NODES.map((id) => nodeView(id, { alive: id === 'n4' })));
    const scenario = formed(reads).when(distribute({ guests: [member('guest')] }));
    expect(sharesOf(scenario).map((share) => share.node)).toEqual(['n4', 'guest']);
  });

  it('asks a guest once who has become a member meanwhile', () => {
    const scenario = formed(VIEW, ['n1', 'n2', 'n3']).when(distribute({ guests: [member('n2')] }));
    expect(scenario.sent).toEqual(['node/n1 AssignTask', 'node/n2 AssignTask', 'node/n3 AssignTask']);
  });

  it('gives every Node the time to vote that is on record, also the one that breaks a tie', () => {
    const scenario = formed(networkView(NODES.map((id) => nodeView(id)))).when(distribute({ nodes: 2 }));
    const given = [...scenario.effects];
    for (const [index, answer] of ['Tokyo', 'Kyoto'].entries()) {
      scenario.when(count(sharesOf(scenario)[index], vote(answer, 0.4)), { at: later(1000 * index) });
      given.push(...scenario.effects);
    }
    const times = given.flatMap((effect) => (effect.kind === 'command' ? [effect.command.data] : []));
    expect(times).toMatchObject([{ dueAt: VOTE_BY }, { dueAt: VOTE_BY }, { dueAt: VOTE_BY }]);
  });

  it('fails at once when nobody is there', () => {
    const scenario = formed(networkView([])).when(distribute());
    expect(scenario.types).toEqual(['TaskDistributed', 'ConsensusFailed']);
    expect(scenario.sent).toEqual(['query/q1 RecordFailure']);
    expect(contextOf(scenario).open).toEqual({});
    expect(scenario.when(distribute()).types).toEqual([]);
  });

  it('distributes an attempt once, and none that is over', () => {
    const scenario = formed().when(distribute());
    expect(scenario.when(distribute()).types).toEqual([]);
    expect(scenario.when(distribute({ attempt: 2 })).types).toEqual(['TaskDistributed']);
    expect(scenario.when(distribute({ attempt: 3 }), { at: DUE }).types).toEqual([]);
  });

  it('reaches a consensus when all have voted alike, in any order and however often they say it', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (order, copies) => {
          const scenario = formed().when(distribute());
          const shares = sharesOf(scenario);
          for (const index of order) {
            for (let copy = 0; copy < copies; copy += 1) {
              scenario.when(count(shares[index], vote('Tokyo')), { at: later(20) });
            }
          }
          expect(scenario.history.filter(({ type }) => type === 'VoteCounted')).toHaveLength(3);
          const reached = scenario.history.filter((event) => event.type === 'ConsensusReached');
          expect(reached).toHaveLength(1);
          expect(reached[0]?.data).toMatchObject({ result: { answer: 'Tokyo', agreement: 1 }, dissent: [] });
          expect(contextOf(scenario).open).toEqual({});
        },
      ),
      { numRuns: 30 },
    );
  });

  it('tells the query, with every contribution', () => {
    const scenario = formed().when(distribute());
    for (const share of sharesOf(scenario)) scenario.when(count(share, vote('Tokyo')));
    expect(scenario.sent).toEqual(['query/q1 RecordAnswer']);
    const [effect] = scenario.effects;
    const result = effect?.kind === 'command' ? (effect.command.data as { result: object }).result : {};
    expect(result).toMatchObject({
      kind: 'name',
      contributions: [{ node: 'n1' }, { node: 'n2' }, {}],
      agreement: 1,
    });
  });

  it('asks one more Node when the votes stay apart, then another, then says so', () => {
    const equals = networkView(NODES.map((id) => nodeView(id)));
    const scenario = formed(equals).when(distribute({ nodes: 2 }));
    scenario.when(count(sharesOf(scenario)[0], vote('Tokyo', 0.4)));
    scenario.when(count(sharesOf(scenario)[1], vote('Kyoto', 0.4)));
    expect(scenario.types).toEqual(['VoteCounted', 'TiebreakCalled']);
    expect(scenario.sent).toHaveLength(1);
    expect(new Set(sharesOf(scenario).map((share) => share.node)).size).toBe(3);
    scenario.when(count(sharesOf(scenario)[2], vote('Osaka', 0.4)));
    expect(scenario.types).toEqual(['VoteCounted', 'TiebreakCalled']);
    scenario.when(count(sharesOf(scenario)[3], vote('Nara', 0.4)));
    expect(scenario.types).toEqual(['VoteCounted', 'ConsensusFailed']);
    expect(scenario.sent).toEqual(['query/q1 RecordFailure']);
  });

  it.each([
    ['the best of those that were not asked', NODES, NODES, ['n1', 'n2', 'n3']],
    ['nobody where all were asked', ['n1', 'n2'], NODES, ['n1', 'n2']],
    ['nobody whose device is away', NODES, ['n1', 'n4', 'n5'], ['n1', 'n4', 'n5']],
  ])('breaks a tie with %s', (_whom, nodes, alive, asked) => {
    const reads = networkView(
      NODES.map((id, index) =>
        nodeView(id, {
          alive: alive.includes(id),
          rows: { 'knowledge.capital': matrixRow(40 - 9 * index, 20 + 9 * index) },
        }),
      ),
    );
    const scenario = new Scenario<ClusterCommand, ClusterEvent>(cluster, 'maths', { reads }).when(FORM);
    for (const node of nodes) scenario.when(admit(node, node));
    scenario.when(distribute({ nodes: 1 }));
    for (const answer of ['Tokyo', 'Kyoto', 'Osaka'].slice(0, asked.length)) {
      scenario.when(count(sharesOf(scenario).at(-1), vote(answer, 0.4)));
    }
    expect(scenario.types).toEqual(['VoteCounted', 'ConsensusFailed']);
    expect(sharesOf(scenario).map(({ node }) => node)).toEqual(asked);
  });

  it('has no best answer when all have abstained', () => {
    const scenario = formed(VIEW, ['n1', 'n2']).when(distribute({ nodes: 2 }));
    for (const share of sharesOf(scenario)) scenario.when(count(share, vote('')));
    expect(scenario.events.at(-1)).toMatchObject({
      type: 'ConsensusFailed',
      data: { best: { kind: 'none' } },
    });
  });

  it('counts what has come when the time to vote is over, not before', () => {
    const scenario = formed().when(distribute());
    scenario.when(count(sharesOf(scenario)[0], vote('Tokyo', 0.97)));
    scenario.when(count(sharesOf(scenario)[1], vote('Tokyo', 0.97)));
    expect(scenario.when(PASS, { at: later(8499) }).types).toEqual([]);
    expect(scenario.when(PASS, { at: VOTE_BY }).types).toEqual(['ConsensusReached']);
    expect(scenario.when(PASS, { at: DUE }).types).toEqual([]);
    expect(scenario.when(count(sharesOf(scenario)[2], vote('Kyoto')), { at: DUE }).types).toEqual([]);
  });

  it('fails at the deadline when nobody has voted', () => {
    const scenario = formed().when(distribute()).when(PASS, { at: VOTE_BY });
    expect(scenario.events).toMatchObject([{ type: 'ConsensusFailed', data: { best: null } }]);
  });

  it('continues without lost votes, and fails when all are lost', () => {
    const scenario = formed().when(distribute());
    const [one, two, three] = sharesOf(scenario);
    scenario.when(lose(one));
    expect(scenario.when(lose(one)).types).toEqual([]);
    scenario.when(lose(two)).when(lose(three));
    expect(scenario.types).toEqual(['VoteLost', 'ConsensusFailed']);
    expect(scenario.when(count(one, vote('Tokyo'))).types).toEqual([]);
  });

  it('does not count votes for tasks that it never gave', () => {
    const scenario = formed().when(distribute());
    expect(scenario.when(count({ taskId: 'forged', node: 'n1' }, vote('Kyoto'))).types).toEqual([]);
  });

  it('fits the longest answers of all that may vote into one append', () => {
    const scenario = formed().when(distribute({ nodes: 5, guests: [member('guest')] }));
    for (const share of sharesOf(scenario)) {
      scenario.when(count(share, vote(`${share.node} ${'x'.repeat(32_000)}`, 0.9)));
    }
    expect(Buffer.byteLength(JSON.stringify(scenario.events))).toBeLessThan(768 * 1024);
  });

  it('ends every attempt exactly once and remembers none for longer than it may be asked for', () => {
    const step = fc.record({
      what: fc.constantFrom('distribute', 'count', 'lose', 'pass', 'wait'),
      share: fc.nat({ max: 6 }),
      answer: fc.constantFrom('Tokyo', 'Kyoto', ''),
      ms: fc.constantFrom(1, 2000, 5000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const scenario = formed();
        let now = 0;
        for (const { what, share, answer, ms } of steps) {
          const at = later(now);
          const target = sharesOf(scenario)[share];
          if (what === 'distribute') scenario.when(distribute(), { at });
          if (what === 'count' && target) scenario.when(count(target, vote(answer)), { at });
          if (what === 'lose' && target) scenario.when(lose(target), { at });
          if (what === 'pass') scenario.when(PASS, { at });
          if (what === 'wait') now += ms;
        }
        scenario.when(PASS, { at: later(now + 20_000) });
        const types = scenario.history.map((event) => event.type);
        const begun = types.filter((type) => type === 'TaskDistributed').length;
        expect(begun).toBeLessThanOrEqual(1);
        expect(types.filter((type) => type.startsWith('Consensus'))).toHaveLength(begun);
        expect(contextOf(scenario).open).toEqual({});
        scenario.when(distribute({ subtaskId: 's2', dueAt: later(now + 40_000) }), {
          at: later(now + 20_001),
        });
        expect(contextOf(scenario).closed).toEqual({});
      }),
      { numRuns: 60 },
    );
  });

  it('refuses tasks before it is formed', () => {
    const scenario = new Scenario<ClusterCommand, ClusterEvent>(cluster, 'maths', { at: START });
    expect(() => scenario.when(distribute())).toThrow('There is no Cluster "maths"');
  });
});
