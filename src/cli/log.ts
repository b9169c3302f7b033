import type { OnLog } from '../host/log.ts';

/** Log lines for a person or a collector, on standard error: nothing but results goes to standard output. */
export function stderrLog({ verbose }: { verbose: boolean }): OnLog {
  return (level, message, details) => {
    if (!verbose && (level === 'debug' || level === 'info')) return;
    const shown = details && Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : '';
    process.stderr.write(`${new Date().toISOString()} ${level} ${message}${shown}\n`);
  };
}

/** Steps of something long. */
export function progress(step: string): void {
  process.stderr.write(`… ${step}\n`);
}
