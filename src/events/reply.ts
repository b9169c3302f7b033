/** What whoever asked gets on the subject that they named: the ending of their query, or why it was not taken. */
export type Reply = EndingReply | RefusalReply;

export interface EndingReply {
  readonly queryId: string;
  readonly outcome: 'answered' | 'unknown' | 'expired';
  readonly answer: string | null;
  /** 0–1. */
  readonly confidence: number;
  /** What the query cost, in credits. */
  readonly credits: number;
  /** Why there is no answer. */
  readonly reason?: string;
  /** The best guess, which was not good enough to be given. */
  readonly candidate?: string | null;
}

export interface RefusalReply {
  readonly queryId: string;
  readonly error: {
    readonly code: 'unknown-account' | 'no-credits' | 'too-late' | 'conflict';
    readonly message: string;
    /** What to do next. */
    readonly hint: string;
  };
}
