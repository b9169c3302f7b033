import { it } from 'vitest';
import { Scenario } from '../../test/support/decider.ts';
import { judgedNode, SETTINGS } from '../../test/support/evolution.ts';
import { clusterView, networkView } from '../../test/support/views.ts';
import { superCluster } from './super-cluster/index.ts';
import { cluster } from './cluster/index.ts';
const nodes = [
  ...Array.from({ length: 45 }, (_, i) => judgedNode(`c${i}`, 19, 20, { cluster: 'c' })),
  ...Array.from({ length: 4 }, (_, i) => judgedNode(`a${i}`, 19, 20, { cluster: 'a' })),
  ...Array.from({ length: 4 }, (_, i) => judgedNode(`b${i}`, 19, 20, { cluster: 'b' })),
];
const reads = networkView(nodes, ['a', 'b', 'c'].map((id) => clusterView(id)), 7, { evolution: { settings: SETTINGS, mode: 'normal' } });
it('merges beyond 50', () => {
  const s = new Scenario<any, any>(superCluster, 'main', { reads });
  console.log(s.when({ type: 'ApproveMerge', data: { cluster: 'a', into: 'c', cause: 'x' } }).types);
  console.log(s.when({ type: 'ApproveMerge', data: { cluster: 'b', into: 'c', cause: 'x' } }).types);
  console.log('target may never merge', s.when({ type: 'ApproveMerge', data: { cluster: 'c', into: 'd', cause: 'x' } }).types);
  const c = new Scenario<any, any>(cluster, 'c', { reads });
  c.when({ type: 'FormCluster', data: { cluster: 'c', name: 'C', specialization: 'mathematical', saga: null } });
  let n = 0;
  try { for (const { id } of nodes) { c.when({ type: 'AdmitNode', data: { node: id, device: 'd', owner: 'o', specialization: 'mathematical', pair: 'a+b' } }); n += 1; } } catch (e) { console.log(n, String(e)); }
});
it('flutters', () => {
  const good = networkView([judgedNode('x', 16, 20)], [], 7, { evolution: { settings: { ...SETTINGS, minTasks: 1 }, mode: 'normal' } });
  const bad = networkView([judgedNode('x', 14, 20)], [], 7, { evolution: { settings: { ...SETTINGS, minTasks: 1 }, mode: 'normal' } });
  const s = new Scenario<any, any>(superCluster, 'main');
  let seed = 1; const rnd = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  let changes = 0;
  for (let g = 1; g <= 40; g += 1) for (const c of ['a', 'b', 'c', 'd', 'e']) {
    s.when({ type: 'MeasureFitness', data: { generation: `${c}-${g}`, cluster: c } }, { reads: rnd() < 0.5 ? good : bad });
    changes += s.types.filter((t: string) => t === 'EvolutionModeChanged').length;
  }
  console.log('changes in 40 generations of 5 clusters', changes);
});
it('dismissed unformed', () => {
  const c = new Scenario<any, any>(cluster, 'c', { reads });
  c.when({ type: 'AdmitNode', data: { node: 'q', device: 'd', owner: 'o', specialization: 'mathematical', pair: 'a+b' } });
  try { console.log(c.when({ type: 'DismissNode', data: { node: 'q', reason: 'culled' } }).types); } catch (e) { console.log(String(e)); }
});
