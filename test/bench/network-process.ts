import { createInstantEngine } from '../../src/inference/instant.ts';
import type { InferenceEngine } from '../../src/inference/port.ts';
import { SPECIES } from '../../src/inference/species.ts';
import { bootLocalNetwork } from '../../src/network/local.ts';
import { multiplication } from './questions.ts';

/** What the process is started with, as JSON in its first argument. */
export interface NetworkProcessOptions {
  readonly home: string;
  /** `instant` is simulated: right answers to multiplications at once, from a table. */
  readonly engine: 'llama' | 'instant';
  /** Multiplications that the instant engine knows. */
  readonly questions: number;
}

/** What it sends when questions can be asked. */
export interface NetworkReady {
  readonly natsUrl: string;
  readonly storeUrl: string;
}

function instantEngine(questions: number): InferenceEngine {
  const table = Array.from({ length: questions }, (_, index) => multiplication(index));
  return createInstantEngine({
    answers: new Map(table.map(({ question, answer }) => [question, answer])),
    errorRates: new Map(
      SPECIES.flatMap(({ miniature }) => miniature.pair.map((model) => [model, 0] as const)),
    ),
    seed: 1,
  });
}

/** Shows at most so many warnings. They show that the network is in trouble; more would hide the figures. */
let warningsLeft = 5;

function onLog(level: string, message: string): void {
  if ((level !== 'warn' && level !== 'error') || warningsLeft === 0) return;
  warningsLeft -= 1;
  const more = warningsLeft === 0 ? ' (more are not shown)' : '';
  process.stderr.write(`network: ${level}: ${message.slice(0, 200)}${more}\n`);
}

const { home, engine, questions } = JSON.parse(process.argv[2] ?? '{}') as NetworkProcessOptions;
const network = await bootLocalNetwork({
  home,
  natsPort: 0,
  natsUrl: null,
  storeUrl: null,
  ...(engine === 'instant' && { createEngine: async () => instantEngine(questions) }),
  onLog,
  onProgress: () => {},
});
process.once('disconnect', () => {
  void network.stop().then(() => process.exit(0));
});
const ready: NetworkReady = { natsUrl: network.natsUrl, storeUrl: network.storeUrl };
process.send?.(ready);
