import type { ClusterView, NetworkView, NodeView } from '../../src/actors/network-view.ts';
import type { MatrixRow } from '../../src/actors/super-cluster/matrix.ts';
import { NEW_TRUST } from '../../src/actors/verifier/trust.ts';

/** An available, proven Node with 20 right answers. */
export function nodeView(id: string, change: Partial<NodeView> = {}): NodeView {
  return {
    id,
    cluster: 'maths',
    species: 'math-specialists',
    specialization: 'mathematical',
    device: 'laptop',
    owner: 'owner',
    pair: 'maths-a+maths-b',
    genome: {
      modelA: 'maths-a',
      modelB: 'maths-b',
      specialization: 'mathematical',
      promptTemplates: { system: '', user: '{question}' },
      samplingParams: { temperature: 0.2, topP: 0.95, topK: 40, contextTokens: 256, maxTokens: 128 },
    },
    generation: 0,
    culled: false,
    fitness: undefined,
    alive: true,
    proximityMs: 0,
    uptime: 1,
    inFlight: 0,
    trust: { recent: '1'.repeat(20), valid: 20, total: 20, streak: 20 },
    rows: {},
    ...change,
  };
}

export function clusterView(id: string, change: Partial<ClusterView> = {}): ClusterView {
  return {
    id,
    name: id,
    kind: 'specialized',
    specialization: 'mathematical',
    lastBirth: -1,
    inFlight: 0,
    rows: {},
    trust: NEW_TRUST,
    ...change,
  };
}

export function networkView(
  nodes: readonly NodeView[],
  clusters: readonly ClusterView[] = [],
  position = 7,
  change: Partial<NetworkView> = {},
): NetworkView {
  return {
    position,
    nodes: new Map(nodes.map((node) => [node.id, node])),
    clusters: new Map(clusters.map((cluster) => [cluster.id, cluster])),
    devices: new Map(),
    residents: countsOf(nodes.map(({ device }) => device)),
    members: countsOf(nodes.filter(({ culled }) => !culled).map(({ cluster }) => cluster)),
    evolution: null,
    ...change,
  };
}

function countsOf(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

export function matrixRow(right: number, wrong: number): MatrixRow {
  return {
    alpha: right + 1,
    beta: wrong + 1,
    n: right + wrong,
    latencyMs: 20,
    recent: (right + 1) / (right + wrong + 2),
  };
}
