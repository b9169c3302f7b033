import { Command } from 'commander';
import { packageVersion } from '../network/version.ts';
import { addAskCommand } from './commands/ask.ts';
import { addCreditsCommand } from './commands/credits.ts';
import { addDiagramCommand } from './commands/diagram.ts';
import { addEvolutionCommand } from './commands/evolution.ts';
import { addExperimentCommand } from './commands/experiment.ts';
import { addHistoryCommand } from './commands/history.ts';
import { addMatrixCommand } from './commands/matrix.ts';
import { addModelsCommand } from './commands/models.ts';
import { addNodesCommand } from './commands/nodes.ts';
import { addQueryCommand } from './commands/query.ts';
import { addRunCommand } from './commands/run.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTrustCommand } from './commands/trust.ts';
import { addUpCommand } from './commands/up.ts';
import { EXIT } from './exit-codes.ts';

const program = new Command('dellm')
  .description('Many small language models that answer together, check themselves, and evolve.')
  .version(packageVersion())
  .showHelpAfterError('(add --help to see how)')
  .addHelpText('after', '\nWithout a command: up. The data folder is DELLM_HOME, or .dellm in your home.')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  });

for (const add of [
  addUpCommand,
  addAskCommand,
  addStatusCommand,
  addNodesCommand,
  addEvolutionCommand,
  addMatrixCommand,
  addTrustCommand,
  addCreditsCommand,
  addQueryCommand,
  addHistoryCommand,
  addExperimentCommand,
  addModelsCommand,
  addRunCommand,
  addDiagramCommand,
]) {
  add(program);
}

const given = process.argv.slice(2);
const [first] = given;
const general = ['-h', '--help', '-V', '--version'];
const isUp = first === undefined || (first.startsWith('-') && !general.includes(first));
await program.parseAsync(isUp ? ['up', ...given] : given, { from: 'user' });
