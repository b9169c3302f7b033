import type { OnLog } from '../host/log.ts';
import { printableLine } from './printable.ts';

/** Log lines for a person or a collector, on standard error. Standard output is only for results. */
export function stderrLog({ verbose }: { verbose: boolean }): OnLog {
  return (level, message, details) => {
    if (!verbose && (level === 'debug' || level === 'info')) return;
    const shown = details && Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : '';
    process.stderr.write(`${new Date().toISOString()} ${level} ${printableLine(message + shown)}\n`);
  };
}

/** A step of a long task. */
export function progress(step: string): void {
  process.stderr.write(`… ${step}\n`);
}

export interface Progress {
  show(done: number, total: number | null): void;
  /** Ends the line. It may be called twice. */
  end(): void;
}

const SHOW_EVERY_MS = 100;
/** Without a terminal, each tenth gets its own line. */
const STEPS = 10;

/** Progress on standard error: in one changing line on a terminal, else in one line for each tenth. */
export function progressOf(what: string, shown: (amount: number) => string = String): Progress {
  const { isTTY } = process.stderr;
  let step = -1;
  let shownAt = 0;
  let open = false;
  return {
    show(done, total) {
      const text = `… ${what}: ${shown(done)}${total === null ? '' : ` of ${shown(total)}`}`;
      const next = total ? Math.floor((STEPS * done) / total) : 0;
      if (isTTY && (performance.now() - shownAt > SHOW_EVERY_MS || done === total)) {
        shownAt = performance.now();
        open = true;
        process.stderr.write(`\r${text}\u001b[K`);
      } else if (!isTTY && next > step) {
        step = next;
        process.stderr.write(`${text}\n`);
      }
    },
    end() {
      if (open) process.stderr.write('\n');
      open = false;
    },
  };
}
