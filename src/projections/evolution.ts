import type { EvolutionMode, EvolutionSettings } from '../events/evolution.ts';
import { idOf, type Projection, type RecordedOf } from './projection.ts';

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

const STATE_TYPES = ['EvolutionConfigured', 'NetworkFitnessMeasured', 'EvolutionModeChanged'] as const;
const GENERATION_TYPES = ['GenerationBegun', 'FitnessEvaluated', 'GenerationCompleted'] as const;

type StateEvent = RecordedOf<(typeof STATE_TYPES)[number]>;
type GenerationEvent = RecordedOf<(typeof GENERATION_TYPES)[number]>;

/** Rows `state` and `generation/<cluster>-<n>`. */
export const evolution: Projection<EvolutionRow, (StateEvent | GenerationEvent)['type']> = {
  name: 'evolution',
  version: 1,
  resident: true,
  types: [...STATE_TYPES, ...GENERATION_TYPES],
  keys(event) {
    return [isOfGeneration(event) ? `generation/${idOf(event.stream, 'generation')}` : EVOLUTION_STATE];
  },
  fold(row, event) {
    return isOfGeneration(event)
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

function isOfGeneration(event: StateEvent | GenerationEvent): event is GenerationEvent {
  return event.stream.startsWith('generation-');
}

function foldState(row: EvolutionStateRow, event: StateEvent): EvolutionStateRow {
  switch (event.type) {
    case 'EvolutionConfigured':
      return { ...row, settings: event.data.settings };
    case 'NetworkFitnessMeasured':
      return { ...row, score: event.data.score, measured: row.measured + 1 };
    case 'EvolutionModeChanged':
      return { ...row, mode: event.data.to, modeChanges: row.modeChanges + 1 };
  }
}

function foldGeneration(row: GenerationRow | undefined, event: GenerationEvent): GenerationRow | undefined {
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
  const { culled, born, at } = event.data;
  return { ...row, culled, born, completedAt: at };
}
