// Checks an export: llama.cpp must give the same greedy answers as torch.
//
//   node models/training/parity.mjs OUTCOMES_DIR [NAME ...]
//
// OUTCOMES_DIR has NAME.json from make.py, torch's answers to the held-out prompts. At least 99 % of 200
// prompts per model must agree; rounding to 16 or 8 bits may flip a close call, a wrong export flips most.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getLlama } from 'node-llama-cpp';

const PROMPTS = 200;
const LOWEST_AGREEMENT = 0.99;
const LONGEST_ANSWER = 90;

const models = new URL('../miniature/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(models, 'manifest.json'), 'utf8'));
const [outcomesDirectory, ...names] = process.argv.slice(2);
if (outcomesDirectory === undefined) {
  console.error('usage: node parity.mjs OUTCOMES_DIR [NAME ...]');
  process.exit(2);
}

/** Takes `count` items at equal distances, so that every kind of prompt is among them. */
function spread(items, count) {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]);
}

/** User text is tokenised without special markers, so that nobody can type one. */
function promptTokens(model, prompt) {
  return [
    ...model.tokenize('<|user|>', true),
    ...model.tokenize(prompt, false),
    ...model.tokenize('<|bot|>', true),
  ];
}

async function answer(model, sequence, prompt) {
  await sequence.clearHistory();
  const tokens = [];
  for await (const token of sequence.evaluate(promptTokens(model, prompt), { temperature: 0 })) {
    if (model.isEogToken(token) || tokens.length === LONGEST_ANSWER) break;
    tokens.push(token);
  }
  return model.detokenize(tokens);
}

const llama = await getLlama({ build: 'never', gpu: false, logLevel: 'error', maxThreads: 1 });
for (const { name, file } of manifest.models) {
  if (names.length > 0 && !names.includes(name)) continue;
  const model = await llama.loadModel({ modelPath: join(models, file) });
  const context = await model.createContext({ contextSize: 256, threads: 1 });
  const sequence = context.getSequence();
  const outcomes = spread(JSON.parse(readFileSync(join(outcomesDirectory, `${name}.json`), 'utf8')), PROMPTS);
  let same = 0;
  for (const [, , prompt, expected] of outcomes) {
    const actual = await answer(model, sequence, prompt);
    if (actual === expected) same += 1;
    else console.log(`${name}: ${JSON.stringify({ prompt, torch: expected, llama: actual })}`);
  }
  console.log(`${name}: ${same} of ${outcomes.length} answers are the same`);
  if (same < LOWEST_AGREEMENT * outcomes.length) process.exitCode = 1;
  await context.dispose();
  await model.dispose();
}
await llama.dispose();
