import { z } from 'zod';
import { NEW_TRUST, trustOf } from '../actors/verifier/trust.ts';
import { Id, type Parsed } from '../events/values.ts';
import { type NodeRow, network, uptimeOf } from './network.ts';
import { page, paged, pageOf, type RowReader, read } from './read.ts';
import { trust } from './trust.ts';

/** The Nodes of `network`, with their trust. */
export const nodesRead = read({
  name: 'nodes',
  description: 'The Nodes with their genomes and records',
  input: {
    ...page,
    cluster: Id.optional(),
    all: z.boolean().default(false).describe('Whether to include retired Nodes'),
  },
  output: {
    nodes: z.array(
      z.object({
        id: z.string(),
        species: z.string(),
        cluster: z.string(),
        device: z.string(),
        specialization: z.string(),
        models: z.tuple([z.string(), z.string()]),
        generation: z.int(),
        status: z
          .enum(['alive', 'culled', 'retired'])
          .describe('A culled Node finishes its open tasks and is then retired'),
        parents: z.array(z.string()),
        inFlight: z.int(),
        answered: z.int(),
        missed: z.int(),
        trust: z.number(),
      }),
    ),
    ...paged,
  },
  answer({ after, limit, cluster, all }, reader) {
    const { rows, next } = pageOf(nodesOf(reader, { after, present: !all }, cluster), limit);
    const nodes = rows.map(([key, node]) => {
      const { id, species, device, generation, status, inFlight, answered, missed, genome } = node;
      return {
        id,
        species,
        cluster: node.cluster,
        device,
        specialization: genome.specialization,
        models: [genome.modelA, genome.modelB] as const,
        generation,
        status,
        parents: node.parents,
        inFlight,
        answered,
        missed,
        trust: trustOf(reader.row(trust, key) ?? NEW_TRUST, uptimeOf(node)),
      };
    });
    return { nodes, next };
  },
});
export const NodesOutput = nodesRead.output;
export type NodesOutput = Parsed<typeof NodesOutput>;

function* nodesOf(
  reader: RowReader,
  range: { readonly after: string | undefined; readonly present: boolean },
  cluster: string | undefined,
): Generator<readonly [string, NodeRow]> {
  for (const [key, row] of reader.rows(network, { ...range, prefix: 'node/' })) {
    if (row.kind === 'node' && (cluster === undefined || row.cluster === cluster)) yield [key, row];
  }
}
