import { z } from 'zod';

/** What the asker gets on the named subject: the ending of the query, or why it was refused. */
export type Reply = EndingReply | RefusalReply;

export const EndingReply = z.object({
  queryId: z.string(),
  outcome: z.enum(['answered', 'unknown', 'expired']),
  answer: z.string().nullable(),
  confidence: z.number().min(0).max(1),
  credits: z.number().describe('What the query cost, in credits'),
  reason: z.string().optional().describe('Why there is no answer'),
  candidate: z
    .string()
    .nullable()
    .optional()
    .describe('The best guess, which was not good enough to be given'),
});
export type EndingReply = z.infer<typeof EndingReply>;

export interface RefusalReply {
  readonly queryId: string;
  readonly error: {
    readonly code: 'unknown-account' | 'no-credits' | 'too-late' | 'conflict';
    readonly message: string;
    /** What to do next. */
    readonly hint: string;
  };
}
