/** A question that arithmetic alone decides. */
export interface MathsClaim {
  /** In digits, `+ - * / ^`, parentheses and decimal points only. */
  readonly expression: string;
  /** The exact value: an integer or finite decimal where there is one, else a fraction such as `1/3`. */
  readonly expected: string;
}

export type ArithmeticVerdict = 'correct' | 'incorrect' | 'not-applicable';

/** Reads a question of pure arithmetic; null when it is anything else or its value is not defined. */
export function parseArithmetic(_question: string): MathsClaim | null {
  throw new Error('parseArithmetic is being written');
}

export function checkArithmetic(_question: string, _answer: string): ArithmeticVerdict {
  throw new Error('checkArithmetic is being written');
}
