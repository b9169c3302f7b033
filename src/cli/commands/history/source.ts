import type { Command } from 'commander';
import type { OpenHistory } from '../../../network/history.ts';
import { someText } from '../../arguments.ts';
import { UsageError } from '../../exit-codes.ts';
import { interruptible } from '../../interrupt.ts';

/** Which history a command reads. */
export interface SourceOptions {
  readonly from?: string;
  readonly store?: string;
  readonly cache?: string;
}

/** A history to read. */
export interface Opened extends Omit<OpenHistory, 'close'> {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export function addSourceOptions(command: Command, { cached = true } = {}): Command {
  command
    .option(
      '--from <file>',
      'a history.jsonl, the folder of a run, or the file of an embedded store',
      someText,
    )
    .option('--store <url>', 'an EventStoreDB, such as esdb://localhost:2113?tls=false', someText);
  if (cached) {
    command.option(
      '--cache <folder>',
      'folder for cached folds (default: replay-cache in the data folder)',
      someText,
    );
  }
  return command;
}

/**
 * Runs a command on a history: that of `--from` or `--store`, else of the network that runs, else of the data folder.
 * Ctrl-C aborts it.
 */
export function withHistory(
  { from, store, cache }: SourceOptions,
  command: (opened: Opened) => Promise<number>,
): Promise<number> {
  if (from !== undefined && store !== undefined) throw new UsageError('Give --from or --store, not both.');
  return interruptible(async (signal) => {
    const { openHistory } = await import('../../../network/history.ts');
    const onStatus = (message: string): void => {
      process.stderr.write(`dellm: ${message}\n`);
    };
    const { close, ...opened } = await openHistory({
      signal,
      onStatus,
      ...(from !== undefined && { from }),
      ...(store !== undefined && { store }),
      ...(cache !== undefined && { cache }),
    });
    try {
      return await command({ ...opened, signal });
    } finally {
      await close();
    }
  });
}
