import { NEW_TRUST, recordVerdict, type TrustState } from '../actors/verifier/trust.ts';
import { JUDGING_TYPES, judgedOf } from './performance-matrix.ts';
import type { Projection } from './projection.ts';

/** Records of reliability under `node/<id>` and `cluster/<id>`, over all task types. */
export const trust: Projection<TrustState, (typeof JUDGING_TYPES)[number]> = {
  name: 'trust',
  version: 1,
  resident: true,
  types: JUDGING_TYPES,
  keys(event) {
    const judged = judgedOf(event);
    return judged ? [judged.resource] : [];
  },
  fold(row, event) {
    const judged = judgedOf(event);
    return judged ? recordVerdict(row ?? NEW_TRUST, judged.correct) : row;
  },
};
