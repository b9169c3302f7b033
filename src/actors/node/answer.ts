/** What sort of answer was found; 'none' is an abstention ("I don't know") or an empty text. */
export type AnswerKind = 'number' | 'choice' | 'name' | 'truth' | 'code' | 'list' | 'text' | 'none';

export interface ExtractedAnswer {
  readonly kind: AnswerKind;
  /** Canonical form, for example `1000` for "1,000"; empty when `kind` is 'none'. */
  readonly value: string;
}

/** How two answers relate, from the strongest agreement to none. */
export type Equivalence = 'exact' | 'equivalent' | 'semantic' | 'different';

/** Finds the answer in a model's text. `taskType` is `family.kind`, for example `math.arithmetic`. Total: never throws. */
export function extractAnswer(_text: string, _taskType: string): ExtractedAnswer {
  throw new Error('extractAnswer is being written');
}

/** Whether two answers say the same. An abstention agrees with nothing, not even with another one. */
export function compareAnswers(_a: ExtractedAnswer, _b: ExtractedAnswer): Equivalence {
  throw new Error('compareAnswers is being written');
}
