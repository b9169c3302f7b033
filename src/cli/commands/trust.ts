import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { finish } from '../finish.ts';
import { percent, printJson, printLines, table } from '../output.ts';
import { allPages, moreHint, withNetwork } from '../session.ts';

interface Options {
  readonly limit: number;
  readonly json: boolean;
}

export function addTrustCommand(program: Command): void {
  program
    .command('trust')
    .description('trust scores of Nodes and Clusters')
    .option('--limit <rows>', 'maximum number of rows', wholeNumber(1, 100_000), 100)
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => showTrust(options)));
}

function showTrust({ limit, json }: Options): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { TrustOutput } = await import('../../projections/trust.ts');
    const { last, rows } = await allPages(
      limit,
      (page) => request(nc, 'dellm.trust', page, TrustOutput),
      (page) => page.rows,
    );
    if (json) {
      printJson({ ...last, rows });
      return 0;
    }
    if (rows.length === 0) {
      printLines(['No answer has been judged yet.']);
      return 0;
    }
    printLines([
      ...table(rows, [
        { title: 'resource', of: (row) => row.key },
        { title: 'trust', of: (row) => percent(row.trust) },
        { title: 'judged', of: (row) => row.judged },
        { title: 'correct', of: (row) => row.correct },
        { title: 'streak', of: (row) => row.streak },
        { title: 'uptime', of: (row) => percent(row.uptime) },
        { title: 'proven', of: (row) => (row.proven ? 'yes' : 'no') },
      ]),
      ...moreHint(last.next),
    ]);
    return 0;
  });
}
