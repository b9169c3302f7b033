import { type Command, Option } from 'commander';
import type { TailedEvent } from '../../../network/tail.ts';
import { someText, wholeNumber } from '../../arguments.ts';
import { finish } from '../../finish.ts';
import { interruptible } from '../../interrupt.ts';
import { printJson, printLines } from '../../output.ts';
import { printableLine } from '../../printable.ts';
import { withNetwork } from '../../session.ts';

interface Options {
  readonly stream?: string;
  readonly limit: number;
  readonly json: boolean;
}

const SHOWN_DATA = 100;

export function addTailCommand(history: Command): void {
  history
    .command('tail')
    .description('the last events, then new ones as they arrive, until Ctrl-C')
    .option('--stream <name>', 'only this stream, such as "node-mathematical-01"', someText)
    .addOption(
      new Option('--limit <events>', 'number of past events to show first')
        .argParser(wholeNumber(0, 100_000))
        .default(20),
    )
    .option('--json', 'print one JSON object per line', false)
    .action((options) => finish(() => tail(options)));
}

function tail({ stream, limit, json }: Options): Promise<number> {
  return interruptible((signal) =>
    withNetwork(async (nc) => {
      const { tailHistory } = await import('../../../network/tail.ts');
      // `| head` has read enough.
      const closed = new AbortController();
      process.stdout.once('error', () => closed.abort());
      const events = tailHistory(nc, {
        limit,
        signal: AbortSignal.any([signal, closed.signal]),
        ...(stream !== undefined && { stream }),
      });
      for await (const event of events) {
        if (json) printJson(event);
        else printLines([lineOf(event)]);
      }
      return 0;
    }),
  );
}

function lineOf({ position, created, stream, revision, type, data }: TailedEvent): string {
  const { at: _at, ...rest } = data ?? { at: '', data: 'too long to show' };
  const shown = JSON.stringify(rest);
  const cut = shown.length > SHOWN_DATA ? `${shown.slice(0, SHOWN_DATA)}…` : shown;
  return printableLine(
    `${String(position).padStart(8)}  ${created}  ${`${stream}#${revision}`.padEnd(32)} ${type}  ${cut}`,
  );
}
