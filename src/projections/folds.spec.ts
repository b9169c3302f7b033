import { describe, expect, it } from 'vitest';
import { MemoryModel } from '../replay/memory-model.ts';
import { type CreditRow, credits } from './credits.ts';
import { type DeadlinesRow, deadlines } from './deadlines.ts';
import { fitness } from './fitness.ts';
import { type NetworkRow, network, uptimeOf } from './network.ts';
import { NetworkViewBuilder } from './network-view.ts';
import { type MatrixCell, performanceMatrix } from './performance-matrix.ts';
import type { Projection, Recorded } from './projection.ts';
import { trust } from './trust.ts';

const AT = '2026-01-05T10:00:00.000Z';
const DUE = '2026-01-05T10:00:05.000Z';

let position = 0;

function on(stream: string, type: string, data: object = {}): Recorded {
  position += 1;
  const place = { stream, revision: 0, position, correlationId: 'q1' };
  return { type, data: { at: AT, ...data }, ...place } as unknown as Recorded;
}

function fold<Row>(projection: Projection<Row>, events: readonly Recorded[]): ReadonlyMap<string, Row> {
  const model = new MemoryModel([projection]);
  for (const event of events) model.apply(event);
  return model.rows(projection);
}

const born = (id: string) =>
  on(`node-${id}`, 'NodeBorn', {
    node: id,
    species: 'math-specialists',
    device: 'laptop',
    owner: 'owner',
    cluster: 'maths',
    generation: 0,
    parents: [],
    genome: { modelA: 'a', modelB: 'b', specialization: 'mathematical' },
  });

const judged = (id: string, correct: boolean, basis = 'computed') =>
  on(`node-${id}`, 'PerformanceRecorded', {
    taskId: 't',
    queryId: 'q1',
    taskType: 'math.arithmetic',
    correct,
    basis,
    responseMs: 10,
  });

const verdict = (resource: { kind: string; id: string }, correct: boolean | null) =>
  on('query-q1', 'VerdictReached', { resource, correct, taskType: 'math.arithmetic', responseMs: 20 });

describe('credits', () => {
  it('balance after every entry, with a row for each account, each escrow and the treasury', () => {
    const entry = { queryId: 'q1', transferId: 'r1' };
    const events = [
      on('credit-anna', 'CreditsGranted', { amount: 100 }),
      on('credit-anna', 'CreditsReserved', { ...entry, amount: 30 }),
      on('credit-anna', 'ReservationRefused', { ...entry, needed: 900 }),
      on('credit-bert', 'CreditsEarned', { amount: 7 }),
      on('credit-anna', 'CreditsSettled', { ...entry, spent: 20, returned: 10 }),
      on('credit-bert', 'CreditsPenalised', { amount: 3 }),
      on('credit-anna', 'CreditsReserved', { ...entry, amount: 5 }),
      on('credit-anna', 'CreditsReleased', { ...entry, amount: 5 }),
    ];
    for (let count = 1; count <= events.length; count += 1) {
      const totals = fold<CreditRow>(credits, events.slice(0, count)).get('totals');
      if (totals?.kind !== 'totals') throw new Error('there are no totals');
      expect(totals.accounts + totals.treasury + totals.escrow).toBe(0);
    }
    expect(fold<CreditRow>(credits, events.slice(0, 3)).get('escrow/q1')).toMatchObject({ balance: 30 });
    const rows = fold<CreditRow>(credits, events);
    expect(rows.get('account/anna')).toMatchObject({ available: 80, reserved: 0, spent: 20, earned: 0 });
    expect(rows.get('account/bert')).toMatchObject({ available: 4, earned: 7, penalised: 3 });
    expect(rows.get('treasury')).toMatchObject({ balance: -84 });
    expect(rows.has('escrow/q1')).toBe(false);
  });
});

describe('the network', () => {
  it('counts the open, answered and missed tasks of Nodes', () => {
    const task = { taskId: 't' };
    const rows = fold<NetworkRow>(network, [
      born('n1'),
      on('node-n1', 'TaskAccepted', task),
      on('node-n1', 'TaskAccepted', task),
      on('node-n1', 'VoteCast', task),
    ]);
    expect(rows.get('node/n1')).toMatchObject({ inFlight: 1, answered: 1, missed: 0, cluster: 'maths' });
    expect(uptimeOf({ answered: 0, missed: 0 })).toBe(1);
    expect(uptimeOf({ answered: 9, missed: 10 })).toBe(0.5);
  });

  it('has the members of a Cluster, whether it was formed before or after them', () => {
    const form = on('cluster-maths', 'ClusterFormed', {
      name: 'Mathematicians',
      specialization: 'mathematical',
    });
    const admit = on('cluster-maths', 'NodeAdmitted', { node: 'n1' });
    for (const events of [
      [form, admit],
      [admit, form],
    ]) {
      expect(fold<NetworkRow>(network, events).get('cluster/maths')).toMatchObject({
        members: ['n1'],
        name: 'Mathematicians',
        specialization: 'mathematical',
      });
    }
  });
});

describe('the performance matrix and trust', () => {
  it('change only with judged answers: for Nodes with their judgements, for Clusters with their verdicts', () => {
    const events = [
      judged('n1', true),
      judged('n1', false),
      verdict({ kind: 'cluster', id: 'maths' }, true),
      verdict({ kind: 'cluster', id: 'maths' }, null),
      verdict({ kind: 'node', id: 'n1' }, true),
    ];
    const cells = fold<MatrixCell>(performanceMatrix, events);
    expect([...cells.keys()]).toEqual(['node/n1/math.arithmetic', 'cluster/maths/math.arithmetic']);
    expect(cells.get('node/n1/math.arithmetic')).toMatchObject({ n: 2, alpha: 2, beta: 2 });
    expect(cells.get('cluster/maths/math.arithmetic')).toMatchObject({ n: 1, latencyMs: 20 });
    expect(fold(trust, events).get('node/n1')).toMatchObject({ total: 2, valid: 1, streak: 0 });
  });
});

describe('the view for routing', () => {
  it('follows changes of rows and of devices separately', () => {
    const builder = new NetworkViewBuilder();
    const rows = fold<NetworkRow>(network, [born('n1')]);
    builder.change([{ projection: network.name, key: 'node/n1', row: rows.get('node/n1') }], 3);
    expect(builder.view.nodes.get('n1')).toMatchObject({ alive: false, pair: 'a+b' });
    builder.setDevices([{ id: 'laptop', proximityMs: 12 }]);
    expect(builder.view.nodes.get('n1')).toMatchObject({ alive: true, proximityMs: 12 });
    const cells = fold<MatrixCell>(performanceMatrix, [judged('n1', true)]);
    const [[key, row] = ['', undefined]] = [...cells];
    builder.change([{ projection: performanceMatrix.name, key, row }], 4);
    expect(builder.view.nodes.get('n1')?.rows['math.arithmetic']).toMatchObject({ n: 1 });
    builder.setDevices([]);
    expect(builder.view.nodes.get('n1')?.alive).toBe(false);
    expect(builder.view.position).toBe(4);
  });

  it('keeps trust that arrives before the Node', () => {
    const builder = new NetworkViewBuilder();
    builder.change(
      [{ projection: trust.name, key: 'node/n1', row: { recent: '1', valid: 1, total: 1, streak: 1 } }],
      1,
    );
    expect(builder.view.nodes.size).toBe(0);
    const rows = fold<NetworkRow>(network, [born('n1')]);
    builder.change([{ projection: network.name, key: 'node/n1', row: rows.get('node/n1') }], 2);
    expect(builder.view.nodes.get('n1')?.trust.total).toBe(1);
  });

  it('keeps fitness that arrives before the Node', () => {
    const builder = new NetworkViewBuilder();
    const tally = fold(fitness, [judged('n1', true)]).get('node/n1');
    const row = fold<NetworkRow>(network, [born('n1')]).get('node/n1');
    // In the order in which a read model sends rows to a new follower: by their last change. A Node's row
    // changes with each of its tasks.
    builder.change([{ projection: fitness.name, key: 'node/n1', row: tally }], 1);
    builder.change([{ projection: network.name, key: 'node/n1', row }], 2);
    expect(tally).toBeDefined();
    expect(builder.view.nodes.get('n1')?.fitness).toEqual(tally);
  });

  it('counts Nodes by device and by Cluster, through moves and until they are retired', () => {
    const builder = new NetworkViewBuilder();
    const events = [
      born('n1'),
      born('n2'),
      on('node-n1', 'NodeMoved', { from: 'maths', to: 'logic', cause: 'merge' }),
      on('node-n1', 'NodeCulled'),
      on('node-n1', 'NodeRetired'),
    ];
    const seen = events.map((_, index) => {
      const rows = fold<NetworkRow>(network, events.slice(0, index + 1));
      builder.change(
        [...rows].map(([key, row]) => ({ projection: network.name, key, row })),
        index,
      );
      const { residents, members } = builder.view;
      return [residents.get('laptop'), members.get('maths'), members.get('logic')];
    });
    expect(seen).toEqual([
      [1, 1, undefined],
      [2, 2, undefined],
      [2, 1, 1],
      [2, 1, 0],
      [1, 1, 0],
    ]);
  });

  it('omits a retired Node, and later rows about it', () => {
    const builder = new NetworkViewBuilder();
    const row = fold<NetworkRow>(network, [born('n1')]).get('node/n1');
    const tally = fold(fitness, [judged('n1', true)]).get('node/n1');
    builder.change([{ projection: network.name, key: 'node/n1', row: { ...row, status: 'retired' } }], 1);
    builder.change([{ projection: fitness.name, key: 'node/n1', row: tally }], 2);
    expect(builder.view.nodes.size).toBe(0);
  });
});

describe('the deadlines', () => {
  it('are the open waits of an actor', () => {
    const events = [
      on('query-q1', 'QueryAsked', { dueAt: DUE }),
      on('query-q1', 'SubtaskDispatched', { subtaskId: 's1', attempt: 1, dueAt: DUE }),
      on('query-q1', 'SubtaskFailed', { subtaskId: 's1', attempt: 1, retryAt: AT }),
      on('query-q1', 'SubtaskDispatched', { subtaskId: 's1', attempt: 2, dueAt: DUE }),
      on('query-q1', 'SubtaskAnswered', { subtaskId: 's1', attempt: 2 }),
      on('query-q1', 'QueryAnswered'),
    ];
    const waits = events.map((_, index) => {
      const row = fold<DeadlinesRow>(deadlines, events.slice(0, index + 1)).get('query/q1');
      return Object.entries(row?.waiting ?? {}).map(([key, { dueAt }]) => `${key} ${dueAt}`);
    });
    expect(waits).toEqual([
      [`query ${DUE}`],
      [`query ${DUE}`, `s1 ${DUE}`],
      [`query ${DUE}`, `s1 ${AT}`],
      [`query ${DUE}`, `s1 ${DUE}`],
      [`query ${DUE}`],
      [],
    ]);
  });

  it('exist for each task of a Node, each vote of a Cluster, and genesis', () => {
    const begun = [
      on('node-n1', 'TaskAccepted', { taskId: 't1', dueAt: DUE }),
      on('node-n1', 'TaskAccepted', { taskId: 't2', dueAt: DUE }),
      on('cluster-maths', 'TaskDistributed', { subtaskId: 's1', attempt: 1, voteBy: AT, dueAt: DUE }),
      on('genesis-main', 'GenesisBegun', { dueAt: DUE }),
    ];
    const rows = fold<DeadlinesRow>(deadlines, begun);
    expect(rows.get('node/n1')?.waiting).toMatchObject({ t1: { dueAt: DUE }, t2: { dueAt: DUE } });
    expect(rows.get('cluster/maths')?.waiting['s1#1']).toMatchObject({ dueAt: AT });
    const ended = [
      on('node-n1', 'VoteCast', { taskId: 't1' }),
      on('node-n1', 'TaskFailed', { taskId: 't2' }),
      on('cluster-maths', 'ConsensusFailed', { subtaskId: 's1', attempt: 1 }),
      on('genesis-main', 'GenesisCompleted'),
    ];
    expect(fold<DeadlinesRow>(deadlines, [...begun, ...ended]).size).toBe(0);
  });
});
