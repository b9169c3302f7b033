import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { historyLine } from '../../src/replay/history-file.ts';
import { evolvingNetwork } from '../support/evolving-network.ts';

/** Questions of every kind: one Node, a Cluster, several subtasks, and what nobody knows. */
const QUESTIONS = [
  'What is 15 × 23?',
  'Is 17 greater than 12?',
  'What is 15 × 23, and what is the capital of Japan?',
  'Hello',
];

/** Leaves a history of this release beside this file: a network that answers and evolves. It is never written over. */
export async function recordHistory(name: string): Promise<void> {
  const path = join(import.meta.dirname, `${name}.jsonl.gz`);
  if (existsSync(path)) throw new Error(`${path} is there already, and a recorded history is never changed.`);
  const network = await evolvingNetwork();
  try {
    for (const question of QUESTIONS) await network.ask(question);
    await network.quiet();
    const lines = (await network.events()).map(historyLine);
    writeFileSync(path, gzipSync(lines.join(''), { level: 9 }));
  } finally {
    await network.close();
  }
}
