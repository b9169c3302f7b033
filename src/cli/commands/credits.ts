import type { Command } from 'commander';
import { id, wholeNumber } from '../arguments.ts';
import { finish } from '../finish.ts';
import { facts, printJson, printLines, table } from '../output.ts';
import { allPages, moreHint, withNetwork } from '../session.ts';

interface Options {
  readonly account?: string;
  readonly limit: number;
  readonly json: boolean;
}

export function addCreditsCommand(program: Command): void {
  const credits = program
    .command('credits')
    .description('accounts and the trial balance, in credits')
    .option('--account <id>', 'only this account', id)
    .option('--limit <rows>', 'maximum number of rows', wholeNumber(1, 100_000), 100)
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => showCredits(options)));
  credits
    .command('open')
    .description('open an account with the welcome grant; an open one stays as it is')
    .argument('<account>', 'id of the account', id)
    .option('--json', 'print one JSON object', false)
    // Commander gives an option that the parent also has to the parent, wherever it is on the command line.
    .action((account, _own, command) => finish(() => openAccount(account, command.optsWithGlobals())));
}

function showCredits({ account, limit, json }: Options): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { CreditsOutput } = await import('../../projections/credits.ts');
    const { last, rows } = await allPages(
      limit,
      (page) => request(nc, 'dellm.credits', { ...page, ...(account && { account }) }, CreditsOutput),
      (page) => page.accounts,
    );
    if (json) {
      printJson({ ...last, accounts: rows });
      return 0;
    }
    const { balance } = last;
    printLines([
      ...table(rows, [
        { title: 'account', of: (row) => row.account },
        { title: 'available', of: (row) => row.available },
        { title: 'reserved', of: (row) => row.reserved },
        { title: 'earned', of: (row) => row.earned },
        { title: 'spent', of: (row) => row.spent },
        { title: 'penalised', of: (row) => row.penalised },
      ]),
      ...moreHint(last.next),
      '',
      ...facts([
        ['all accounts', String(balance.accounts)],
        ['treasury', String(balance.treasury)],
        ['escrow', String(balance.escrow)],
      ]),
    ]);
    return 0;
  });
}

function openAccount(account: string, { json }: { json: boolean }): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { OpenAccountOutput } = await import('../../gateway/schemas.ts');
    const opened = await request(nc, 'dellm.accounts.open', { account }, OpenAccountOutput, 15_000);
    if (json) printJson(opened);
    else printLines([`The account "${opened.account}" is open, with ${opened.available} credits.`]);
    return 0;
  });
}
