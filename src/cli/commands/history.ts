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
    .description('what has happened: the events themselves, and the network as it was');
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
}
