import { EXIT, exitCodeOf } from './exit-codes.ts';
import { printable } from './printable.ts';

/** Runs a command and sets the process's exit code. Prints errors to standard error. */
export async function finish(command: () => Promise<number>): Promise<void> {
  // `| head` closes the pipe early. The rest of the output is dropped, and the command ends normally.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    process.exitCode = await command();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    if (process.exitCode === EXIT.interrupted) return;
    const hint = error instanceof Error && 'hint' in error && error.hint ? ` ${error.hint}` : '';
    process.stderr.write(
      printable(`dellm: ${error instanceof Error ? error.message : String(error)}${hint}\n`),
    );
  }
}
