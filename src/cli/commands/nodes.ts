import type { Command } from 'commander';
import { id, wholeNumber } from '../arguments.ts';
import { finish } from '../finish.ts';
import { percent, printJson, printLines, table } from '../output.ts';
import { allPages, moreHint, withNetwork } from '../session.ts';

interface Options {
  readonly cluster?: string;
  readonly all: boolean;
  readonly limit: number;
  readonly json: boolean;
}

export function addNodesCommand(program: Command): void {
  program
    .command('nodes')
    .description('the Nodes with their genomes and records')
    .option('--cluster <id>', 'only the Nodes of one Cluster', id)
    .option('--all', 'include retired Nodes', false)
    .option('--limit <rows>', 'maximum number of rows', wholeNumber(1, 100_000), 100)
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => showNodes(options)));
}

function showNodes({ cluster, all, limit, json }: Options): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { NodesOutput } = await import('../../projections/nodes.ts');
    const { last, rows } = await allPages(
      limit,
      (page) => request(nc, 'dellm.nodes', { ...page, all, ...(cluster && { cluster }) }, NodesOutput),
      (page) => page.nodes,
    );
    if (json) {
      printJson({ ...last, nodes: rows });
      return 0;
    }
    printLines([
      ...table(rows, [
        { title: 'node', of: (node) => node.id },
        { title: 'cluster', of: (node) => node.cluster },
        { title: 'models', of: (node) => node.models.join(' + ') },
        { title: 'device', of: (node) => node.device },
        { title: 'generation', of: (node) => node.generation },
        { title: 'status', of: (node) => node.status },
        { title: 'in flight', of: (node) => node.inFlight },
        { title: 'answered', of: (node) => node.answered },
        { title: 'missed', of: (node) => node.missed },
        { title: 'trust', of: (node) => percent(node.trust) },
      ]),
      ...moreHint(last.next),
    ]);
    return 0;
  });
}
