import type { EvolutionMode, EvolutionSettings } from '../events/evolution.ts';
import { idOf, type Projection, type Recorded } from './projection.ts';

/** What evolution goes by, and how the network does. */
export interface EvolutionStateRow {
  readonly kind: 'state';
  /** Null before anything was configured. */
  readonly settings: EvolutionSettings | null;
  readonly mode: EvolutionMode;
  /** The last measurement of the network's fitness, 0–1; null before the first. */
  readonly score: number | null;
  readonly measured: number;
  readonly modeChanges: number;
}

/** One generation of one Cluster. */
export interface GenerationRow {
  readonly kind: 'generation';
  readonly cluster: string;
  readonly generation: number;
  readonly mode: EvolutionMode;
  readonly begunAt: string;
  readonly completedAt: string | null;
  readonly members: number;
  readonly judged: number;
  /** Mean score of the judged members, 0–1; null where nobody was judged. */
  readonly meanScore: number | null;
  readonly bestScore: number | null;
  readonly culled: number;
  readonly born: number;
}

export type EvolutionRow = EvolutionStateRow | GenerationRow;

export const EVOLUTION_STATE = 'state';

/** Rows `state` and `generation/<cluster>-<n>`. */
export const evolution: Projection<EvolutionRow> = {
  name: 'evolution',
  version: 1,
  resident: true,
  keys(event) {
    switch (event.type) {
      case 'EvolutionConfigured':
      case 'NetworkFitnessMeasured':
      case 'EvolutionModeChanged':
        return [EVOLUTION_STATE];
      case 'GenerationBegun':
      case 'FitnessEvaluated':
      case 'GenerationCompleted':
        return [`generation/${idOf(event.stream, 'generation')}`];
      default:
        return [];
    }
  },
  fold(row, event) {
    return event.stream.startsWith('generation-')
      ? foldGeneration(row?.kind === 'generation' ? row : undefined, event)
      : foldState(row?.kind === 'state' ? row : NEW_STATE, event);
  },
};

/** Before anything was configured. */
export const NEW_STATE: EvolutionStateRow = {
  kind: 'state',
  settings: null,
  mode: 'normal',
  score: null,
  measured: 0,
  modeChanges: 0,
};

function foldState(row: EvolutionStateRow, event: Recorded): EvolutionStateRow {
  switch (event.type) {
    case 'EvolutionConfigured':
      return { ...row, settings: event.data.settings };
    case 'NetworkFitnessMeasured':
      return { ...row, score: event.data.score, measured: row.measured + 1 };
    case 'EvolutionModeChanged':
      return { ...row, mode: event.data.to, modeChanges: row.modeChanges + 1 };
    default:
      return row;
  }
}

function foldGeneration(row: GenerationRow | undefined, event: Recorded): GenerationRow | undefined {
  if (event.type === 'GenerationBegun') {
    const { cluster, generation, mode, members, at } = event.data;
    return {
      kind: 'generation',
      cluster,
      generation,
      mode,
      begunAt: at,
      completedAt: null,
      members: members.length,
      judged: 0,
      meanScore: null,
      bestScore: null,
      culled: 0,
      born: 0,
    };
  }
  if (!row) return undefined;
  if (event.type === 'FitnessEvaluated') {
    const scores = event.data.ranking.flatMap(({ score }) => (score === null ? [] : [score]));
    if (scores.length === 0) return row;
    const meanScore = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return { ...row, judged: scores.length, meanScore, bestScore: Math.max(...scores) };
  }
  if (event.type === 'GenerationCompleted') {
    const { culled, born, at } = event.data;
    return { ...row, culled, born, completedAt: at };
  }
  return row;
}
