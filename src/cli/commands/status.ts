import type { Command } from 'commander';
import { finish } from '../finish.ts';
import { facts, printJson, printLines } from '../output.ts';
import { withNetwork } from '../session.ts';

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('state and size of the network')
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => showStatus(options)));
}

function showStatus({ json }: { json: boolean }): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { StatusOutput } = await import('../../gateway/schemas.ts');
    const status = await request(nc, 'dellm.status', {}, StatusOutput);
    if (json) {
      printJson(status);
      return 0;
    }
    const { simulated, trialBalance } = status;
    printLines(
      facts([
        ['version', status.version],
        ['broker', nc.getServer()],
        ['history', `up to position ${status.position}`],
        ['network', `${status.nodes} Nodes in ${status.clusters} Clusters`],
        ['evolution', `mode ${status.mode}`],
        ['fleets', list(status.fleets)],
        ['devices', list(status.devices)],
        ...(simulated.length > 0 ? ([['simulated', list(simulated)]] as const) : []),
        ['queries', `${status.openQueries} open`],
        ['trial balance', trialBalance === 0 ? '0' : `${trialBalance} credits: the books are wrong`],
      ]),
    );
    return 0;
  });
}

function list(ids: readonly string[]): string {
  return ids.length === 0 ? 'none' : ids.join(', ');
}
