import { Argument, type Command } from 'commander';
import { finish } from '../finish.ts';
import { printJson, printLines } from '../output.ts';

/** The machines of all actors. */
export const MACHINES = [
  'node',
  'cluster',
  'superCluster',
  'superLlm',
  'verifier',
  'query',
  'genesis',
  'generation',
  'account',
] as const;
export type MachineName = (typeof MACHINES)[number];

export function addDiagramCommand(program: Command): void {
  program
    .command('diagram')
    .description('the state chart of an actor as a Mermaid diagram; without a name, a page with all of them')
    .addArgument(new Argument('[machine]', 'the actor').choices(MACHINES))
    .option('--json', 'print the definitions of the machines as one JSON object', false)
    .action((name, options) => finish(() => showDiagrams(name, options)));
}

async function showDiagrams(name: MachineName | undefined, { json }: { json: boolean }): Promise<number> {
  const { STATE_CHARTS, stateChartsPage } = await import('../state-charts.ts');
  const { toMermaid } = await import('../mermaid.ts');
  const configOf = (one: MachineName): unknown => STATE_CHARTS[one].machine.config;
  if (json) {
    printJson(name ? configOf(name) : Object.fromEntries(MACHINES.map((one) => [one, configOf(one)])));
  } else {
    printLines([name ? toMermaid(STATE_CHARTS[name].machine) : stateChartsPage()]);
  }
  return 0;
}
