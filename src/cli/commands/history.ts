import type { Command } from 'commander';
import { addAtCommand } from './history/at.ts';
import { addBranchCommand } from './history/branch.ts';
import { addDiffCommand } from './history/diff.ts';
import { addExportCommand } from './history/export.ts';
import { addTailCommand } from './history/tail.ts';
import { addVerifyCommand } from './history/verify.ts';
import { addWhyCommand } from './history/why.ts';

export function addHistoryCommand(program: Command): void {
  const history = program
    .command('history')
    .description('the recorded events, and the network at any moment');
  for (const add of [
    addTailCommand,
    addAtCommand,
    addDiffCommand,
    addWhyCommand,
    addExportCommand,
    addVerifyCommand,
    addBranchCommand,
  ]) {
    add(history);
  }
  // Only who wants rows waits for what knows them.
  history.hook('preSubcommand', async (_history, command) => {
    const show = command.options.find(({ long }) => long === '--show');
    if (!show) return;
    const { TABLES } = await import('../../projections/index.ts');
    show.choices(['all', ...TABLES.map(({ name }) => name)]);
  });
}
