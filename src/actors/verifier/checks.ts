export type CheckKind = 'redundancy' | 'arithmetic' | 'quality-gate' | 'format';

export interface CheckResult {
  readonly check: CheckKind;
  readonly verdict: 'pass' | 'fail' | 'not-applicable';
  /** One sentence for the trace. */
  readonly reason: string;
}

export interface CheckedSubtask {
  readonly prompt: string;
  readonly taskType: string;
  readonly stakes: 'normal' | 'high';
}

export interface CheckedAnswer {
  readonly text: string;
  readonly confidence: number;
  /** Ballots cast, abstentions included. */
  readonly ballots: number;
  /** Share of the ballots that support `text`, 0..1. */
  readonly agreement: number;
}

/** The programmatic checks of one answer, always all four in a fixed order. They judge, and never change, the answer. */
export function checkAnswer(
  _subtask: CheckedSubtask,
  _answer: CheckedAnswer,
  _minConfidence: number,
): readonly CheckResult[] {
  throw new Error('checkAnswer is being written');
}
