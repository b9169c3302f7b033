import type { Command } from 'commander';
import { addCompareCommand } from './experiment-compare.ts';
import { addExperimentRunCommand } from './experiment-run.ts';

export function addExperimentCommand(program: Command): void {
  const experiment = program
    .command('experiment')
    .description('populations that evolve in virtual time, and controls at equal budgets');
  addExperimentRunCommand(experiment);
  addCompareCommand(experiment);
}
