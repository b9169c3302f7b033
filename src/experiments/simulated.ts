import { hash } from 'node:crypto';
import { isOpenEnded, taskFamily } from '../answers/extraction.ts';
import { logistic, logit, tempered } from '../answers/pooling.ts';
import { specializationOf } from '../answers/task-types.ts';
import { drawOf } from '../events/envelope.ts';
import type { GenePool, GoldTask, Tier } from '../events/evolution.ts';
import type { TaskType } from '../events/values.ts';
import { TIER_RAM_BYTES, TIERS } from '../inference/device.ts';
import { InferenceError, type InferenceRequest, type InferenceResult } from '../inference/port.ts';

/**
 * A simulated world for experiments with more Nodes than any machine could run. No language model runs. Whether an
 * answer is right is a draw, and its odds follow from the rules and constants of this file. The results say nothing
 * about real models. They show how the network's rules work in such a world.
 *
 * The log-odds that a model answers a task of some type rightly are the sum of
 * - its skill: a draw for world, model and task type around `MEAN_SKILL`, plus a bonus for its size;
 * - `MATCH` if the genome is specialized in the type's field, else `MISMATCH`;
 * - −`HEAT_LOSS` × (distance of the temperature from the best range of the type's family)²;
 * - how the prompt template suits the family: a draw for world, template and family.
 *
 * A uniform draw against that probability decides right or wrong. With probability `SHARED_DRAW` it is the task's draw,
 * which all models share, so hard tasks are hard for all models. Otherwise, with probability `STUBBORNNESS`, it depends
 * on model and task, so a model repeats its mistakes. Otherwise it also depends on seed and sampling. A wrong answer is
 * one of a few, chosen in the same way. Measured voting shows such correlated errors (docs/voting.md) and models them
 * as few wrong alternatives. The probabilities here are assumptions.
 */

/** A model that does not exist. */
export interface SimulatedModel {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  /** Tiers on which it can be half of a pair, as for public models. */
  readonly tiers: readonly Tier[];
}

const MODELS = 24;
/** Sizes of Node models: the founding document's 0.6 to 3 GB, in equal steps. */
const BYTES = { least: 0.6e9, most: 3e9 };
/** Memory of a model, and the share of a tier's RAM for half of a pair, as in the catalogue. */
const RAM = { factor: 1.1, plus: 150e6, share: 0.36 };

/** Log-odds of an average model on a task in its field, with everything else at its best. */
const MEAN_SKILL = -0.2;
/** The largest model's advantage over the smallest one, in log-odds. */
const SIZE_SKILL = 1;
/** Half the range of the evenly distributed skills, in log-odds. */
const SKILL_SPREAD = 1.8;
const MATCH = 0.7;
const MISMATCH = -0.4;
/** A temperature 0.5 outside the best range costs 2 in log-odds. */
const HEAT_LOSS = 8;
/** A template helps or harms a family by up to this much, in log-odds. */
const TEMPLATE_SPREAD = 0.6;
const SHARED_DRAW = 0.5;
const STUBBORNNESS = 0.8;
/**
 * Models are somewhat surer when they are right. This is the standard deviation of a model's evidence about its own
 * answer, in log-odds. With a mean of plus or minus half its square, the evidence is calibrated.
 */
const SELF_KNOWLEDGE = 1.2;

/** Best temperatures by family: the founding document's, and for knowledge those around its Fast-Responder's 0.5. */
const BEST_TEMPERATURES: Readonly<Record<string, readonly [number, number]>> = {
  math: [0.1, 0.3],
  creative: [0.7, 0.9],
  code: [0.3, 0.5],
  logic: [0.2, 0.4],
  knowledge: [0.4, 0.6],
};

/** Tokens of an answer, plus or minus a fifth. */
const ANSWER_TOKENS: Readonly<Record<string, number>> = {
  math: 12,
  creative: 24,
  code: 10,
  logic: 6,
  knowledge: 4,
};

/** Number of wrong answers. To a yes-or-no question there is only one. */
const WRONG_ANSWERS = 5;

/** One task type for each specialization. */
export const SIMULATED_TASK_TYPES: readonly TaskType[] = [
  'math.arithmetic',
  'logic.comparison',
  'knowledge.capital',
  'code.evaluate',
  'creative.sentence',
];

const PROMPT = /Simulated task (\d+) of ([a-z]+\.[a-z-]+)/;

export const SIMULATED_MODELS: readonly SimulatedModel[] = Array.from({ length: MODELS }, (_, index) => {
  const bytes = Math.round(BYTES.least + ((BYTES.most - BYTES.least) * index) / (MODELS - 1));
  const number = String(index + 1).padStart(2, '0');
  const ram = bytes * RAM.factor + RAM.plus;
  return {
    id: `sim-${number}`,
    name: `Simulated model ${number}`,
    bytes,
    tiers: TIERS.filter((tier) => ram <= TIER_RAM_BYTES[tier] * RAM.share),
  };
});

const BY_ID: ReadonlyMap<string, SimulatedModel> = new Map(
  SIMULATED_MODELS.map((model) => [model.id, model]),
);

/** The gene pool of a simulated world. The templates' meaning has no effect; only their texts differ. */
export const SIMULATED_GENE_POOL: GenePool = {
  models: SIMULATED_MODELS.map(({ id, tiers }) => ({ id, tiers: [...tiers] })),
  specializations: ['mathematical', 'creative', 'coding', 'logical', 'factual'],
  promptTemplates: ['plain', 'precise', 'step by step', 'open-ended', 'structured', 'brief'].map((style) => ({
    system: `Simulated prompt template: ${style}.`,
    user: '{question}',
  })),
  contextTokens: [1024, 2048, 4096],
  maxTokens: 256,
};

export function simulatedModel(id: string): SimulatedModel | undefined {
  return BY_ID.get(id);
}

/** A task of a simulated world by its number. The world determines the right answer. */
export function simulatedTask(world: number, taskType: TaskType, number: number): GoldTask {
  const prompt = `Simulated task ${number} of ${taskType}`;
  const { right } = answersOf(world, taskType, number);
  return isOpenEnded(taskType)
    ? { prompt, taskType, expected: { kind: 'mentions', value: right } }
    : { prompt, taskType, expected: { kind: 'answer', value: right } };
}

/**
 * A simulated model's answer to a simulated task, for a genome of this specialization. Throws `InferenceError` for
 * models and prompts that do not belong to this world.
 */
export function simulateAnswer(
  world: number,
  request: InferenceRequest,
  specialization: string,
): InferenceResult {
  const { model, prompt, seed, params } = request;
  const known = BY_ID.get(model);
  if (!known) {
    throw new InferenceError('model-missing', `The simulated world has no model "${model}".`);
  }
  const [task, number = '', taskType = ''] = PROMPT.exec(prompt) ?? [];
  if (task === undefined || !SIMULATED_TASK_TYPES.includes(taskType)) {
    throw new InferenceError('no-recording', `This is no simulated task: ${prompt.slice(0, 80)}`);
  }
  const probability = probabilityOf(world, request, known, taskType, specialization);
  const shared = fourDraws(`${world} task ${task}`);
  const own = fourDraws(`${world} model ${model} ${task}`);
  const fresh = fourDraws(`${world} model ${model} ${task} ${seed} ${params.temperature} ${request.system}`);
  // Model and task decide which of the draws counts.
  const draws = own[2] < SHARED_DRAW ? shared : own[3] < STUBBORNNESS ? own : fresh;
  const isRight = draws[0] < probability;

  const { right, wrong } = answersOf(world, taskType, Number(number));
  const answer = isRight ? right : (wrong[Math.floor(draws[1] * wrong.length)] ?? right);
  const family = taskFamily(taskType);
  const completionTokens = Math.max(1, Math.round((ANSWER_TOKENS[family] ?? 8) * (0.8 + 0.4 * fresh[2])));
  const evidence =
    ((isRight ? 1 : -1) * SELF_KNOWLEDGE ** 2) / 2 +
    SELF_KNOWLEDGE * nearlyNormal(`${world} surety ${model} ${task} ${seed} ${params.temperature}`);
  return {
    text: wordingOf(answer, taskType, number),
    promptTokens: 8,
    completionTokens,
    logProb: logProbOf(logit(tempered(probability)) + evidence, isOpenEnded(taskType) ? completionTokens : 1),
    measured: true,
    durationMs: 0,
    finish: 'stop',
  };
}

/** Probability that the model is right, by the rules at the head of this file. */
export function probabilityOf(
  world: number,
  { system, prompt, params }: Pick<InferenceRequest, 'system' | 'prompt' | 'params'>,
  model: SimulatedModel,
  taskType: TaskType,
  specialization: string,
): number {
  const family = taskFamily(taskType);
  const [coolest, hottest] = BEST_TEMPERATURES[family] ?? [0, 1];
  const heat = Math.max(coolest - params.temperature, params.temperature - hottest, 0);
  const template = `${system}\n${prompt.replace(PROMPT, '{question}')}`;
  return logistic(
    skillOf(world, model, taskType) +
      (specialization === specializationOf(taskType) ? MATCH : MISMATCH) -
      HEAT_LOSS * heat ** 2 +
      TEMPLATE_SPREAD * (2 * drawnOnce(`${world} template ${family} ${template}`) - 1),
  );
}

function skillOf(world: number, { id, bytes }: SimulatedModel, taskType: TaskType): number {
  const size = (bytes - BYTES.least) / (BYTES.most - BYTES.least);
  const talent = 2 * drawnOnce(`${world} skill ${id} ${taskType}`) - 1;
  return MEAN_SKILL + SIZE_SKILL * size + SKILL_SPREAD * talent;
}

/** The right answer and the wrong ones, in the form of this task type. */
function answersOf(
  world: number,
  taskType: TaskType,
  number: number,
): { readonly right: string; readonly wrong: readonly string[] } {
  if (taskType === 'logic.comparison') {
    const isSo = drawnOnce(`${world} truth ${number}`) < 0.5;
    return { right: isSo ? 'yes' : 'no', wrong: [isSo ? 'no' : 'yes'] };
  }
  // All answers to one task differ.
  const base = 1 + Math.floor(1e6 * drawnOnce(`${world} answer ${taskType} ${number}`));
  const name = (index: number) => {
    const value = base + 1_000_003 * index;
    if (taskType === 'math.arithmetic' || taskType === 'code.evaluate') return String(value);
    return `Sim${letters(value)}`;
  };
  return { right: name(0), wrong: Array.from({ length: WRONG_ANSWERS }, (_, index) => name(index + 1)) };
}

/** The answer in the wording of this kind of task. */
function wordingOf(answer: string, taskType: TaskType, number: string): string {
  return isOpenEnded(taskType) ? `A simulated sentence ${number} about ${answer}.` : answer;
}

/**
 * Log probability of the text for a given surety. Votes calibrate it (docs/voting.md: 0.7 × log-odds − 0.6), and use
 * the mean token probability of open-ended texts unchanged. This is the inverse of that.
 */
function logProbOf(surety: number, openEndedTokens: number): number {
  const probability = openEndedTokens > 1 ? logistic(surety) : logistic((surety + 0.6) / 0.7);
  return Math.min(0, openEndedTokens * Math.log(probability));
}

/** A number as letters, such as 27 as `bb`. */
function letters(value: number): string {
  const rest = Math.floor(value / 26);
  return (rest === 0 ? '' : letters(rest)) + String.fromCharCode(97 + (value % 26));
}

type Four = readonly [number, number, number, number];

/** Four numbers in [0, 1) from one hash, for speed. */
function fourDraws(text: string): Four {
  const digest = hash('sha256', text, 'buffer');
  const draw = (index: number) => digest.readUInt32BE(4 * index) / 2 ** 32;
  return [draw(0), draw(1), draw(2), draw(3)];
}

/** Nearly normal: mean 0, standard deviation 1, within ±3.5, from the sum of four uniform numbers. */
function nearlyNormal(text: string): number {
  return Math.sqrt(3) * (fourDraws(text).reduce((sum, draw) => sum + draw, 0) - 2);
}

/** Cache of skills, templates and answers. */
const drawn = new Map<string, number>();
const MOST_DRAWN = 100_000;

function drawnOnce(text: string): number {
  const known = drawn.get(text);
  if (known !== undefined) return known;
  if (drawn.size >= MOST_DRAWN) drawn.clear();
  const draw = drawOf('simulated world', text);
  drawn.set(text, draw);
  return draw;
}
