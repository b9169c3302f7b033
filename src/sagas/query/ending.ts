import { UNITS_PER_CREDIT } from '../../actors/account/credits.ts';
import type { QueryAnswered, QueryDeclined, QueryExpired } from '../../events/query.ts';
import type { EndingReply } from '../../events/reply.ts';

export type Ending =
  | { readonly type: 'QueryAnswered'; readonly data: QueryAnswered }
  | { readonly type: 'QueryDeclined'; readonly data: QueryDeclined }
  | { readonly type: 'QueryExpired'; readonly data: QueryExpired };

/** What a client gets for an ending. `credits` is what the query cost, in credits. */
export function endingBody(ending: Ending, queryId: string): EndingReply {
  switch (ending.type) {
    case 'QueryAnswered': {
      const { answer, confidence, spent } = ending.data;
      return { queryId, outcome: 'answered', answer, confidence, credits: spent / UNITS_PER_CREDIT };
    }
    case 'QueryDeclined': {
      const { reason, candidate, confidence } = ending.data;
      return {
        queryId,
        outcome: 'unknown',
        answer: "I don't know.",
        confidence,
        credits: 0,
        reason,
        candidate,
      };
    }
    case 'QueryExpired':
      return {
        queryId,
        outcome: 'expired',
        answer: null,
        confidence: 0,
        credits: 0,
        reason: ending.data.reason,
      };
  }
}
