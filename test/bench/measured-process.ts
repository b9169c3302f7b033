import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a file of this folder in a separate process; resolves with the JSON that it prints. `what` names it in errors. */
export function measuredProcess<Measured>(
  what: string,
  file: string,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<Measured> {
  const main = fileURLToPath(new URL(file, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeOptions, main, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(said) as Measured);
      else reject(new Error(`The process ${what} ended with code ${code}.`));
    });
  });
}
