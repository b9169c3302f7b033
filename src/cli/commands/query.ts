import type { Command } from 'commander';
import { id } from '../arguments.ts';
import { finish } from '../finish.ts';
import { printJson, printLines } from '../output.ts';
import { printableLine } from '../printable.ts';
import { withNetwork } from '../session.ts';
import { printTrace } from '../trace.ts';

export function addQueryCommand(program: Command): void {
  program
    .command('query')
    .description('one query: its answer and every step that led to it')
    .argument('<id>', 'the id that "ask" printed', id)
    .option('--json', 'print one JSON object', false)
    .action((queryId, options) => finish(() => showQuery(queryId, options)));
}

function showQuery(queryId: string, { json }: { json: boolean }): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { QueryOutput } = await import('../../projections/query-trace.ts');
    const answer = await request(nc, 'dellm.query', { queryId }, QueryOutput);
    if (json) {
      printJson(answer);
      return 0;
    }
    const { query } = answer;
    const omitted = query.omitted > 0 ? [`… ${query.omitted} more steps are in the history`] : [];
    printLines([
      ...printTrace(query.steps),
      ...omitted,
      '',
      query.result?.answer ?? `(${query.status})`,
      '',
      printableLine(
        `asked ${query.askedAt} by ${query.account || 'nobody'} · ${query.status} · query ${query.queryId}`,
      ),
    ]);
    return 0;
  });
}
