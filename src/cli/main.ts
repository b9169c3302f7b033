import { Command, InvalidArgumentError, Option } from 'commander';
import { ASK_TIMEOUT_MS } from '../gateway/schemas.ts';
import { askCommand } from './commands/ask.ts';
import { upCommand } from './commands/up.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { packageVersion } from './version.ts';

const program = new Command('dellm')
  .description('Many small language models that answer together, check themselves, and evolve.')
  .version(packageVersion())
  .showHelpAfterError('(dellm --help shows how)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  });

program
  .command('up', { isDefault: true })
  .description('run the whole network on this machine until Ctrl-C, and type questions')
  .option(
    '--port <number>',
    'port of the message broker (default: 4222, or a free one)',
    wholeNumber(1, 65_535),
  )
  .option('--verbose', 'show what happens inside', false)
  .action((options) => finish(upCommand(options)));

program
  .command('ask')
  .description('ask one question: the network that runs, or one that is booted for it')
  .argument('<question>', 'what you want to know', text)
  .option('--json', 'print one JSON object', false)
  .option('--trace', 'show every step on the way to the answer', false)
  .option('--account <id>', 'who pays')
  .option('--query-id <id>', 'your own id: asking again with it gives the same query, charged once')
  .addOption(
    new Option('--stakes <level>', 'high: more Nodes vote, and the answer must be surer')
      .choices(['normal', 'high'])
      .default('normal'),
  )
  .option(
    '--timeout <ms>',
    'longest time for the answer, in milliseconds',
    wholeNumber(ASK_TIMEOUT_MS.least, ASK_TIMEOUT_MS.most),
    ASK_TIMEOUT_MS.default,
  )
  .option('--verbose', 'show what happens inside', false)
  .action((question, options) => finish(askCommand(question, options)));

await program.parseAsync();

/** Ends the process with the command's exit code, or with a message for the person. */
async function finish(command: Promise<number>): Promise<void> {
  try {
    process.exitCode = await command;
  } catch (error) {
    const hint = error instanceof Error && 'hint' in error && error.hint ? ` ${error.hint}` : '';
    process.stderr.write(`dellm: ${error instanceof Error ? error.message : String(error)}${hint}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}

function text(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('A question has some text.');
  return value;
}
