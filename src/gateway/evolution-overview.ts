import {
  EVOLUTION_STATE,
  type EvolutionStateRow,
  evolution,
  type GenerationRow,
  NEW_STATE,
} from '../projections/evolution.ts';
import { fitness } from '../projections/fitness.ts';
import { rightAnswersByFounder } from '../projections/founders.ts';
import { lineage } from '../projections/lineage.ts';
import { type ClusterRow, network } from '../projections/network.ts';
import type { ReadModel } from '../projections/read-model.ts';
import { emergentSpecialization } from '../projections/specialization.ts';
import type { EvolutionOutput } from './schemas.ts';

/** How evolution goes, with these Clusters. */
export function evolutionOf(
  model: ReadModel,
  clusters: readonly ClusterRow[],
): Omit<EvolutionOutput, 'position' | 'next'> {
  const { mode, score, measured, settings } = evolutionState(model);
  const generations = generationsByCluster(model);
  return {
    mode,
    score,
    measured,
    settings,
    specialization: specializationOf(model),
    clusters: clusters.map((cluster) => clusterOf(cluster, generations.get(cluster.id) ?? [])),
  };
}

/** What evolution goes by, and how the network does. */
export function evolutionState(model: ReadModel): EvolutionStateRow {
  const row = model.row(evolution, EVOLUTION_STATE);
  return row?.kind === 'state' ? row : NEW_STATE;
}

/** In the order in which they came. */
function generationsByCluster(model: ReadModel): ReadonlyMap<string, readonly GenerationRow[]> {
  const byCluster = new Map<string, GenerationRow[]>();
  for (const [, row] of model.rows(evolution, { prefix: 'generation/', limit: Number.MAX_SAFE_INTEGER })) {
    if (row.kind !== 'generation') continue;
    const known = byCluster.get(row.cluster);
    if (known) known.push(row);
    else byCluster.set(row.cluster, [row]);
  }
  for (const rows of byCluster.values()) rows.sort((one, other) => one.generation - other.generation);
  return byCluster;
}

function clusterOf(
  { id, name, nature, generation, members }: ClusterRow,
  generations: readonly GenerationRow[],
): EvolutionOutput['clusters'][number] {
  const sum = (of: (row: GenerationRow) => number) => generations.reduce((total, row) => total + of(row), 0);
  const last = generations.at(-1);
  return {
    cluster: id,
    name,
    kind: nature,
    generation,
    members: members.length,
    last: last
      ? {
          generation: last.generation,
          judged: last.judged,
          meanScore: last.meanScore,
          bestScore: last.bestScore,
          culled: last.culled,
          born: last.born,
          completedAt: last.completedAt,
        }
      : null,
    culled: sum(({ culled }) => culled),
    born: sum(({ born }) => born),
  };
}

/** Whether lineages have come to be good for different things, over right answers of the Nodes that live. */
function specializationOf(model: ReadModel): EvolutionOutput['specialization'] {
  const living = model
    .rows(network, { prefix: 'node/', limit: Number.MAX_SAFE_INTEGER })
    .flatMap(([key, row]) =>
      row.kind === 'node' && row.status === 'alive' ? [{ id: row.id, fitness: model.row(fitness, key) }] : [],
    );
  const lives = { get: (node: string) => model.row(lineage, `node/${node}`) };
  const counts = rightAnswersByFounder(living, lives);
  const rightAnswers = [...counts.values()].reduce(
    (sum, types) => Object.values(types).reduce((total, count) => total + count, sum),
    0,
  );
  return { ...emergentSpecialization(counts), rightAnswers };
}
