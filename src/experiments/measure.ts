import type { NetworkView, NodeView } from '../actors/network-view.ts';
import { canonicalJson } from '../events/envelope.ts';
import type { ClusterKind } from '../events/evolution.ts';
import { scoresAcross } from '../evolution/fitness.ts';
import { type FounderRow, rightAnswersByFounder } from '../projections/founders.ts';
import { emergentSpecialization } from '../projections/specialization.ts';
import { mean, sd } from './statistics.ts';
import type { Generation } from './summary.ts';

/** Counts of a generation that the state after it no longer shows. */
export interface Happened {
  readonly generation: number;
  readonly at: string;
  readonly born: number;
  readonly culled: number;
  /** Judged training tasks, and how many of them were right. */
  readonly judged: number;
  readonly right: number;
}

/** Measures the population after a generation. */
export function measureGeneration(
  happened: Happened,
  view: NetworkView,
  founders: ReadonlyMap<string, FounderRow>,
  minTasks: number,
): Omit<Generation, 'heldOut'> {
  const { generation, at, born, culled, judged, right } = happened;
  const nodes = [...view.nodes.values()].filter((node) => !node.culled);
  const { scores } = scoresAcross(nodes, minTasks);
  const kinds: Record<ClusterKind, number> = { specialized: 0, geographic: 0, hybrid: 0 };
  for (const { kind } of view.clusters.values()) kinds[kind] += 1;
  return {
    generation,
    at,
    nodes: nodes.length,
    born,
    culled,
    fitness: {
      mean: scores.length === 0 ? 0 : Math.min(1, mean(scores)),
      sd: scores.length < 2 ? 0 : sd(scores),
      n: scores.length,
      best: Math.max(0, ...scores),
    },
    trainAccuracy: judged === 0 ? null : right / judged,
    diversity: diversityOf(nodes),
    specialization: emergentSpecialization(rightAnswersByFounder(nodes, founders)),
    mode: view.evolution?.mode ?? 'normal',
    clusters: kinds,
  };
}

function diversityOf(nodes: readonly NodeView[]): Generation['diversity'] {
  const models = new Map<string, number>();
  for (const { genome } of nodes) {
    for (const model of [genome.modelA, genome.modelB]) models.set(model, (models.get(model) ?? 0) + 1);
  }
  const shares = [...models.values()].map((count) => count / Math.max(1, 2 * nodes.length));
  return {
    genomes: new Set(nodes.map(({ genome }) => canonicalJson(genome))).size,
    models: models.size,
    modelEntropyBits: shares.reduce((sum, share) => sum - share * Math.log2(share), 0),
    specializations: new Set(nodes.map(({ specialization }) => specialization)).size,
  };
}
