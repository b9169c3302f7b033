import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { eventId, GENESIS_HASH, SCHEMA_VERSION, uuidOf } from '../events/envelope.ts';
import { EvolutionSettings, Tier } from '../events/evolution.ts';
import type { ForkPoint, HistoryForked } from '../events/experiment.ts';
import type { JsonObject, StoredEvent } from '../eventstore/port.ts';
import { EVOLUTION_STATE, evolution } from '../projections/evolution.ts';
import { type NodeRow, network } from '../projections/network.ts';
import type { LiveDevice } from '../projections/network-view.ts';
import { isFilled } from '../replay/export/whole-file.ts';
import { type Folded, foldTo } from '../replay/fold.ts';
import { asStored } from '../replay/happened-at.ts';
import { type Moment, MomentError } from '../replay/moment.ts';
import type { HistorySource } from '../replay/source.ts';
import { ConfigError, EvolutionOverrides } from './config.ts';
import type { ExperimentEngine } from './engines.ts';
import {
  ExperimentFolderError,
  type ExperimentProgress,
  replaceFile,
  summarised,
  writeLives,
  writeResults,
  writeWorld,
} from './experiment.ts';
import { withFolderLock } from './folder-lock.ts';
import { settingsOf } from './population.ts';
import { type ArmRun, runArm } from './run-arm.ts';
import { RunFiles, WORLD_FILE } from './run-files.ts';
import { SUMMARY_SCHEMA, type Summary } from './summary.ts';
import { sampleTasks } from './tasks.ts';

/** How a branch continues. Everything else is as in the other history. */
export interface BranchParameters {
  /** Parameters of evolution by name, as they were given. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** Number of the simulated world, for that engine. */
  readonly world: number;
  /** Generations after the fork. */
  readonly generations: number;
  readonly tasksPerNode: number;
  readonly heldOut: number;
  /** Name of the branch in comparisons. */
  readonly label: string;
}

export interface BranchOptions {
  readonly engine: ExperimentEngine;
  readonly folder: string;
  readonly signal: AbortSignal;
  onProgress(progress: ExperimentProgress): void;
}

/** The population cannot continue with this engine. Nothing was written. */
export class BranchError extends Error {
  override readonly name = 'BranchError';
}

const PLAN_FILE = 'branch.json';

/** What a branch may change: the same as an arm of an experiment. */
const SETTABLE: readonly string[] = ['strategy', ...Object.keys(EvolutionOverrides.shape)];

/** Sampling seeds that models see if the other history does not say: as in experiments. */
const SEED_VARIANTS = 4;

/** What a branch needs to resume. Its own history has the rest. */
const Plan = z.object({
  /** The source of the other history, for a person. */
  origin: z.string(),
  forkedFrom: z.object({
    event: z.object({ stream: z.string(), revision: z.int(), id: z.string() }),
    events: z.int(),
  }),
  parameters: z.object({
    set: z.record(z.string(), z.unknown()),
    seed: z.int(),
    world: z.int(),
    generations: z.int(),
    tasksPerNode: z.int(),
    heldOut: z.int(),
    label: z.string(),
  }),
  engine: z.string(),
  simulated: z.boolean(),
  strategy: EvolutionSettings.shape.strategy,
  minTasks: z.int(),
  generation: z.int(),
  now: z.int(),
  seedVariants: z.int().min(1),
  devices: z.array(
    z.object({
      id: z.string(),
      proximityMs: z.number(),
      slots: z.int(),
      tier: Tier.nullable(),
      region: z.string().nullable(),
      owner: z.string().nullable(),
    }),
  ),
});
type Plan = z.infer<typeof Plan>;

/** Projections that describe a population at a moment. */
const PROJECTIONS = [network, evolution];

/**
 * Creates a folder for a branch and begins the branch there. If the branch cannot begin, the folder is removed. If it
 * began and was stopped, the folder stays, so that it can be resumed.
 */
export async function inBranchFolder<T>(folder: string, begin: () => Promise<T>): Promise<T> {
  if (await isFilled(folder)) {
    throw new ExperimentFolderError(
      `${folder} exists and is not empty, or is not a folder. Nothing was changed. Name another folder, or continue the branch in it with --resume.`,
    );
  }
  const isNew = !existsSync(folder);
  await mkdir(folder, { recursive: true });
  try {
    return await begin();
  } catch (error) {
    if (isNew && !existsSync(join(folder, PLAN_FILE))) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Begins a branch in an empty folder: the events of another history up to a moment, continued with other parameters.
 * The other history is only read. Nothing is written before it is certain that the branch can begin.
 */
export async function beginBranch(
  source: HistorySource,
  moment: Moment,
  /** Folder of the other history, for the files that an experiment left there. */
  origin: string | null,
  parameters: BranchParameters,
  options: BranchOptions,
): Promise<Summary> {
  const { engine, folder } = options;
  const folded = await foldTo({
    source,
    moment,
    projections: PROJECTIONS,
    cache: null,
    signal: options.signal,
  });
  const { last } = folded;
  if (!last)
    throw new MomentError(
      `${source.label} has no event before that moment, so there is nothing to continue.`,
    );
  const nodes = livingNodes(folded);
  requireModels(nodes, engine, source.label);
  const before = stateOf(folded);
  const settings = changedSettings(before, parameters, engine);
  const events = await eventsTo(source, last.position);
  const forkedFrom: ForkPoint = {
    event: { stream: last.stream, revision: last.revision, id: last.id },
    events: events.length,
  };
  const now = Date.parse(folded.latestAt) || 0;
  const forked = forkEvent(forkedFrom, parameters, engine, events.length, now);
  const generation = latestGeneration(folded);
  const plan: Plan = {
    origin: source.label,
    forkedFrom,
    parameters: { ...parameters, set: { ...parameters.set } },
    engine: engine.kind,
    simulated: engine.simulated,
    strategy: settings.strategy,
    minTasks: settings.minTasks,
    generation,
    now,
    ...(await worldOf(nodes, origin)),
  };
  await replaceFile(join(folder, PLAN_FILE), `${JSON.stringify(plan, null, 2)}\n`);
  return withFolderLock(folder, () => run(plan, { events: [...events, forked], settings }, options));
}

/** Resumes a branch that was interrupted. */
export async function resumeBranch(options: BranchOptions): Promise<Summary> {
  const plan = await readPlan(options.folder);
  if (plan.engine !== options.engine.kind) {
    throw new BranchError(`This branch was begun with the ${plan.engine} engine. Nothing was changed.`);
  }
  return withFolderLock(options.folder, () => run(plan, null, options));
}

/** The engine with which a branch began, and its simulated world. The branch can resume only with these. */
export async function engineOfBranch(folder: string): Promise<{ engine: string; world: number }> {
  const { engine, parameters } = await readPlan(folder);
  return { engine, world: parameters.world };
}

async function run(
  plan: Plan,
  beginning: { readonly events: readonly StoredEvent[]; readonly settings: EvolutionSettings } | null,
  { engine, folder, signal, onProgress }: BranchOptions,
): Promise<Summary> {
  const { parameters, generation, forkedFrom } = plan;
  const { seed, tasksPerNode, generations, label } = parameters;
  const files = new RunFiles(folder);
  try {
    if (beginning === null && files.committed.length === 0) {
      throw new ExperimentFolderError(
        `The branch in ${folder} was stopped before its first generation was whole. The other history is untouched. ` +
          'Begin it again in another folder.',
      );
    }
    const heldOut = sampleTasks(engine.tasks.heldOut, parameters.heldOut, 'held out');
    const armRun: ArmRun = {
      seed,
      strategy: plan.strategy,
      generations: generation + generations,
      tasksPerNode,
      heldOut,
      heldOutEvery: 1,
      seedVariants: plan.seedVariants,
      devices: plan.devices,
      begin: {
        kind: 'branch',
        events: beginning?.events ?? [],
        now: plan.now,
        generation,
        settings: beginning?.settings ?? null,
        minTasks: plan.minTasks,
      },
    };
    await writeWorld(folder, armRun);
    const total = generations + 1;
    const doneBefore = files.committed.length;
    let done = doneBefore;
    const outcome = await runArm({
      run: armRun,
      engine,
      files,
      signal,
      onGeneration(record) {
        done += 1;
        onProgress({ arm: label, seed, generation: record.generation, total, done, doneBefore, record });
      },
    });
    const lives = await outcome.lives();
    await writeLives(folder, lives);
    const found: Summary = {
      schema: SUMMARY_SCHEMA,
      simulated: engine.simulated,
      engine: engine.kind,
      config: { ...parameters, origin: plan.origin, forkedFrom },
      arms: [summarised(label, seed, heldOut.length, outcome)],
    };
    return await writeResults(folder, found, {
      lives,
      caption: `${label} at seed ${seed}`,
    });
  } finally {
    files.close();
  }
}

/**
 * The parameters after the fork. The branch decides when generations end and which gold tasks there are, as in every
 * experiment. Throws `ConfigError` for a parameter that a branch cannot set, or an invalid value.
 */
function changedSettings(
  before: EvolutionSettings | null,
  { set, tasksPerNode }: BranchParameters,
  engine: ExperimentEngine,
): EvolutionSettings {
  const arm = { strategy: 'evolution', overrides: {} } as const;
  const standard = settingsOf({ tasksPerNode, evolution: {} }, arm, engine.genePool);
  const { tasksPerGeneration, generationMs, goldShare } = standard;
  const own = { ...(before ?? standard), tasksPerGeneration, generationMs, goldShare };
  const foreign = Object.keys(set).filter((name) => !SETTABLE.includes(name));
  if (foreign.length > 0) {
    throw new ConfigError(
      `A branch cannot set ${foreign.join(', ')}. It can set ${SETTABLE.join(', ')}. Nothing was written.`,
    );
  }
  const parsed = EvolutionSettings.safeParse({ ...own, ...set });
  if (parsed.success) return parsed.data;
  throw new ConfigError(`This branch cannot begin:\n${z.prettifyError(parsed.error)}\nNothing was written.`, {
    cause: parsed.error,
  });
}

function forkEvent(
  forkedFrom: ForkPoint,
  { seed, set }: BranchParameters,
  engine: ExperimentEngine,
  events: number,
  now: number,
): StoredEvent {
  const at = new Date(now).toISOString();
  const data: HistoryForked = {
    forkedFrom,
    engine: engine.kind,
    simulated: engine.simulated,
    seed,
    changes: set,
    at,
  };
  const messageId = uuidOf('fork', forkedFrom.event.id, seed, set);
  const stream = `experiment-${messageId}`;
  const type = 'HistoryForked';
  return {
    stream,
    revision: 0,
    id: eventId(stream, 0, type, data, messageId),
    type,
    // The event is plain data, because all of its members are.
    data: data as unknown as JsonObject,
    metadata: {
      schemaVersion: SCHEMA_VERSION,
      messageId,
      causationId: forkedFrom.event.id,
      correlationId: messageId,
      prevHash: GENESIS_HASH,
    },
    position: events + 1,
    created: at,
  };
}

/** The events up to a position, numbered again from 1, like the lines of a file. */
async function eventsTo(source: HistorySource, position: number): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const batch of source.batches()) {
    for (const event of batch.events) {
      if (event.position > position) return events;
      events.push({ ...asStored(event), position: events.length + 1 });
    }
  }
  return events;
}

function livingNodes({ model }: Folded): readonly NodeRow[] {
  const rows = [...model.rows(network).values()];
  return rows.flatMap((row) => (row.kind === 'node' && row.status !== 'retired' ? [row] : []));
}

function latestGeneration({ model }: Folded): number {
  const rows = [...model.rows(network).values()];
  return rows.reduce(
    (latest, row) => (row.kind === 'cluster' ? Math.max(latest, row.generation) : latest),
    0,
  );
}

function stateOf({ model }: Folded): EvolutionSettings | null {
  const row = model.rows(evolution).get(EVOLUTION_STATE);
  return row?.kind === 'state' ? row.settings : null;
}

/** Throws `BranchError` if a living genome names a model that the engine does not have. */
function requireModels(nodes: readonly NodeRow[], engine: ExperimentEngine, label: string): void {
  for (const { id, genome } of nodes) {
    for (const model of [genome.modelA, genome.modelB]) {
      try {
        engine.sizeOf(model);
      } catch (cause) {
        throw new BranchError(
          `The genome of ${id} names the model "${model}", which the ${engine.kind} engine does not have, so ` +
            `${label} cannot continue with it. Nothing was written. Choose the engine that has these models, with --engine.`,
          { cause },
        );
      }
    }
  }
}

/** The world that an experiment left beside its history, else the devices with Nodes, each with one slot per Node. */
async function worldOf(
  nodes: readonly NodeRow[],
  origin: string | null,
): Promise<Pick<Plan, 'seedVariants' | 'devices'>> {
  const left = origin === null ? null : join(origin, WORLD_FILE);
  if (left !== null && existsSync(left)) {
    return Plan.pick({ seedVariants: true, devices: true }).parse(JSON.parse(await readFile(left, 'utf8')));
  }
  const devices = new Map<string, Required<LiveDevice>>();
  for (const { device: id, owner } of nodes) {
    const known = devices.get(id);
    const slots = (known?.slots ?? 0) + 1;
    devices.set(id, { id, proximityMs: 0, slots, tier: known?.tier ?? 'mid', region: null, owner });
  }
  return { seedVariants: SEED_VARIANTS, devices: [...devices.values()] };
}

async function readPlan(folder: string): Promise<Plan> {
  const path = join(folder, PLAN_FILE);
  try {
    return Plan.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExperimentFolderError(`${folder} has no branch to resume: ${why} Nothing was changed.`, {
      cause,
    });
  }
}
