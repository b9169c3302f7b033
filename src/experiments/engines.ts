import type { GenePool } from '../events/evolution.ts';
import { cachingEngine, openAnswers } from '../inference/cache.ts';
import type { Catalogue } from '../inference/catalogue.ts';
import {
  type InferenceEngine,
  InferenceError,
  type InferenceRequest,
  type InferenceResult,
} from '../inference/port.ts';
import { tooLong } from '../inference/recorded.ts';
import type { ExperimentConfig } from './config.ts';
import { miniatureGenePool } from './gene-pools.ts';
import { SIMULATED_GENE_POOL, simulateAnswer, simulatedModel } from './simulated.ts';
import { simulatedTasks, type TaskPools } from './tasks.ts';
import type { Sized } from './timing.ts';

/** The engine of an experiment, with its gene pool and tasks. */
export interface ExperimentEngine {
  readonly kind: ExperimentConfig['engine'];
  /** Whether its answers come from a model of skill instead of a language model. */
  readonly simulated: boolean;
  readonly genePool: GenePool;
  readonly tasks: TaskPools;
  /** Returns the answer at once if it is known. Throws or rejects with `InferenceError`. */
  infer(request: InferenceRequest, specialization: string): InferenceResult | Promise<InferenceResult>;
  /** The size of a model, which its speed depends on. Throws for unknown models. */
  sizeOf(model: string): Sized;
  /** Resolves when all inferred answers are on disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface EngineSources {
  readonly catalogue: Catalogue;
  /** Tasks of the miniature models. */
  readonly tasks: TaskPools;
  /** Starts the engine that runs the models. Called only if models have to run. */
  readonly startModels: () => Promise<InferenceEngine>;
  /** File with the models' answers, which are read instead of inferred again. */
  readonly answersFile: string;
  readonly onNotice: (message: string) => void;
}

/**
 * Opens the engine that the experiment's parameters name. `world` is the number of the simulated world, for all seeds.
 */
export async function openEngine(
  { engine, recordings, world }: Pick<ExperimentConfig, 'engine' | 'recordings' | 'world'>,
  sources: EngineSources,
): Promise<ExperimentEngine> {
  switch (engine) {
    case 'simulated':
      return simulatedEngine(world);
    case 'recorded':
      return recordedAnswers(recordings ?? '', sources);
    case 'miniature':
      return miniatureModels(sources);
  }
}

/** The model of skill: nothing is inferred and nothing is recorded. */
export function simulatedEngine(world: number): ExperimentEngine {
  return {
    kind: 'simulated',
    simulated: true,
    genePool: SIMULATED_GENE_POOL,
    tasks: simulatedTasks(world),
    infer: (request, specialization) => simulateAnswer(world, request, specialization),
    sizeOf: (model) => simulatedModel(model) ?? missing(model),
    flush: async () => {},
    close: async () => {},
  };
}

async function miniatureModels(sources: EngineSources): Promise<ExperimentEngine> {
  const { catalogue, tasks, startModels, answersFile, onNotice } = sources;
  const models = await startModels();
  const engine = await cachingEngine(models, answersFile, { modelHash: hashesOf(catalogue), onNotice }).catch(
    async (error: unknown) => {
      await models.close();
      throw error;
    },
  );
  return {
    kind: 'miniature',
    simulated: models.kind === 'simulated',
    genePool: miniatureGenePool(catalogue),
    tasks,
    infer: (request) => engine.known(request) ?? engine.infer(request),
    sizeOf: (model) => catalogue.find(model) ?? missing(model),
    flush: () => engine.flush(),
    close: () => engine.close(),
  };
}

/** Answers only from the file. An experiment that asks anything else fails. */
async function recordedAnswers(
  path: string,
  { catalogue, tasks, onNotice }: EngineSources,
): Promise<ExperimentEngine> {
  const answers = await openAnswers(path, { modelHash: hashesOf(catalogue), onNotice });
  return {
    kind: 'recorded',
    simulated: false,
    genePool: miniatureGenePool(catalogue),
    tasks,
    infer(request) {
      const answer = answers.find(request);
      if (answer) return answer;
      if (answer === null) throw tooLong(request);
      const { model, prompt } = request;
      const why = answers.foreign.has(model)
        ? `was recorded with another file of the model "${model}" than the present one`
        : `has no answer of "${model}" to this prompt with these parameters`;
      throw new InferenceError(
        'no-recording',
        `${path} ${why}: ${prompt.slice(0, 80)}. Record it by running the same experiment with the miniature engine.`,
      );
    },
    sizeOf: (model) => catalogue.find(model) ?? missing(model),
    flush: async () => {},
    close: async () => {},
  };
}

function hashesOf(catalogue: Catalogue): (model: string) => string | null {
  return (model) => catalogue.find(model)?.sha256 ?? null;
}

function missing(model: string): never {
  throw new InferenceError('model-missing', `The catalogue of this experiment has no model "${model}".`);
}
