import { z } from 'zod';
import {
  NEW_TRUST,
  needsReplication,
  recordVerdict,
  type TrustState,
  trustOf,
} from '../actors/verifier/trust.ts';
import type { Parsed } from '../events/values.ts';
import { network, uptimeOf } from './network.ts';
import { onJudged } from './performance-matrix.ts';
import type { Projection } from './projection.ts';
import { page, paged, pageOf, read } from './read.ts';

const trustRead = read({
  name: 'trust',
  description: 'Trust scores of Nodes and Clusters',
  input: page,
  output: {
    rows: z.array(
      z.object({
        key: z.string(),
        trust: z.number().describe('recent × 0.6 + lifetime × 0.3 + uptime × 0.1'),
        judged: z.int(),
        correct: z.int(),
        streak: z.int(),
        uptime: z.number(),
        proven: z.boolean(),
      }),
    ),
    ...paged,
  },
  answer({ after, limit }, reader) {
    const { rows: resources, next } = pageOf(reader.rows(network, { after }), limit);
    const rows = resources.map(([key, resource]) => {
      const record = reader.row(trust, key) ?? NEW_TRUST;
      const uptime = resource.kind === 'node' ? uptimeOf(resource) : 1;
      return {
        key,
        trust: trustOf(record, uptime),
        judged: record.total,
        correct: record.valid,
        streak: record.streak,
        uptime,
        proven: !needsReplication(record, 1),
      };
    });
    return { rows, next };
  },
});
export const TrustOutput = trustRead.output;
export type TrustOutput = Parsed<typeof TrustOutput>;

/** Trust records under `node/<id>` and `cluster/<id>`, over all task types. */
export const trust: Projection<TrustState> = {
  name: 'trust',
  version: 1,
  on: onJudged(({ resource, correct }, rows) => {
    rows.set(resource, recordVerdict(rows.get(resource) ?? NEW_TRUST, correct));
  }),
  isFollowed: true,
  tables: { trust: '' },
  reads: [trustRead],
};
