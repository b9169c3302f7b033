import { z } from 'zod';

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

export const RefusalCode = z.enum(['unknown-account', 'no-credits', 'too-late', 'conflict']);
export type RefusalCode = z.infer<typeof RefusalCode>;

export const RefusalReply = z.object({
  queryId: z.string(),
  error: z.object({
    code: RefusalCode,
    message: z.string(),
    hint: z.string().describe('What to do next'),
  }),
});
export type RefusalReply = z.infer<typeof RefusalReply>;

/** What the asker gets on the named subject: the ending of the query, or why it was refused. */
export const Reply = z.union([EndingReply, RefusalReply]);
export type Reply = z.infer<typeof Reply>;
