import type { NodeView } from '../actors/network-view.ts';
import { specializationOf } from '../answers/task-types.ts';
import type { ClusterCommand } from '../events/cluster.ts';
import { drawOf, uuidOf } from '../events/envelope.ts';
import type { EvolutionSettings, GoldTask, Strategy, Tier } from '../events/evolution.ts';
import { MAIN_SUPER_CLUSTER, type SuperClusterCommand } from '../events/super-cluster.ts';
import type { StoredEvent } from '../eventstore/port.ts';
import { fillTemplate } from '../evolution/genome.ts';
import { VirtualHost } from '../host/virtual/virtual-host.ts';
import { founders } from '../projections/founders.ts';
import { type LineageRow, lineage } from '../projections/lineage.ts';
import type { LiveDevice } from '../projections/network-view.ts';
import { recordedOf } from '../projections/recorded.ts';
import { asStored } from '../replay/happened-at.ts';
import { historyLine, readHistoryFile } from '../replay/history-file.ts';
import { livesIn } from '../replay/lives.ts';
import { MemoryModel } from '../replay/memory-model.ts';
import { fileSource } from '../replay/source.ts';
import { DEFINITIONS } from '../sagas/index.ts';
import type { ExperimentEngine } from './engines.ts';
import { type EvaluatedNode, evaluate } from './evaluation.ts';
import { measureGeneration } from './measure.ts';
import type { Population } from './population.ts';
import { type Counts, clusterFields, counts, NO_COUNTS, TOTAL } from './population-rows.ts';
import { LiveReads } from './reads.ts';
import type { RunFiles } from './run-files.ts';
import type { Generation } from './summary.ts';
import { askModels, createWork } from './work.ts';

/** One arm at one seed: a population, its tasks, and its number of generations. */
export interface ArmRun {
  readonly seed: number;
  readonly strategy: Strategy;
  /** The last generation. The run begins with 0. */
  readonly generations: number;
  readonly tasksPerNode: number;
  readonly heldOut: readonly GoldTask[];
  readonly heldOutEvery: number;
  readonly seedVariants: number;
  readonly devices: readonly LiveDevice[];
  readonly begin: Beginning;
}

/** A new first generation, or the history of another population that this run continues. */
export type Beginning =
  | { readonly kind: 'genesis'; readonly geneses: Population['geneses']; readonly minTasks: number }
  | {
      readonly kind: 'branch';
      readonly events: readonly StoredEvent[];
      /** Virtual time at which it continues, in milliseconds since 1970, and the generation. */
      readonly now: number;
      readonly generation: number;
      /** Parameters after the fork; null if none are changed. */
      readonly settings: EvolutionSettings | null;
      readonly minTasks: number;
    };

export interface ArmRunOptions {
  readonly run: ArmRun;
  readonly engine: ExperimentEngine;
  readonly files: RunFiles;
  readonly signal: AbortSignal;
  onGeneration(record: Generation): void;
}

export interface ArmOutcome {
  readonly tasks: number;
  readonly inferences: number;
  readonly generations: readonly Generation[];
  /** Whether the files already had the complete run. */
  readonly wasWhole: boolean;
  /** Every life in the order of births. A run that was already complete reads them from its history. */
  lives(): Promise<readonly LineageRow[]>;
}

/** Virtual time at which every experiment begins. */
const EPOCH = '2026-01-01T00:00:00.000Z';

/** Time until a task is due. No device of an experiment takes longer. */
const TASK_MS = 60_000;

/** Time between generations, long enough that every deadline has passed. */
const PAUSE_MS = 120_000;

/** Longest time that a message of a live network is under way. After that, its deadline has passed. */
const ON_THE_WAY_MS = 60_000;

/**
 * Share of a Cluster's tasks from its own field; the others are from any field. Routing by specialization likewise
 * sends most questions to the right Clusters, and an exploring share to others.
 */
const OWN_FIELD = 0.8;

/** Device tier of evaluations. It has no effect on the answers. */
const EVALUATION_TIER: Tier = 'mid';

/**
 * Runs a population. In each generation every Node answers its tasks, then the generations of all Clusters end, and the
 * next one is born. It uses the same machines, decisions and effects as a live network, in virtual time. Continues
 * after the completed generations in the files.
 */
export async function runArm(options: ArmRunOptions): Promise<ArmOutcome> {
  const { run, files, signal } = options;
  const records = files.committed.map(({ record }) => record);
  const first = run.begin.kind === 'branch' ? run.begin.generation : 0;
  const last = files.committed.at(-1);
  if (last && first + records.length > run.generations) {
    const { tasks, inferences } = last;
    const lives = () => livesIn(fileSource(files.historyPath), signal);
    return { tasks, inferences, generations: records, wasWhole: true, lives };
  }
  const world = new World(options);
  if (last) await world.resume();
  else await world.begin();
  for (let generation = first + records.length; generation <= run.generations; generation += 1) {
    const startedAt = performance.now();
    if (generation > first) await world.breed();
    await world.askAll(generation);
    const record = await world.measure(generation, generation === first);
    await options.engine.flush();
    await files.commit({
      events: world.events,
      now: world.now,
      tasks: world.tasks,
      inferences: world.inferences,
      wallMs: Math.round(performance.now() - startedAt),
      record,
    });
    records.push(record);
    options.onGeneration(record);
    signal.throwIfAborted();
  }
  const { tasks, inferences } = world;
  return { tasks, inferences, generations: records, wasWhole: false, lives: async () => world.lives };
}

/** A population in virtual time, with everything that is folded from its history. */
class World {
  readonly #options: ArmRunOptions;
  readonly #host: VirtualHost;
  readonly #reads: LiveReads;
  readonly #rows = new MemoryModel([lineage, founders, clusterFields, counts]);
  readonly #tasksByField: ReadonlyMap<string, readonly GoldTask[]>;
  /** What had happened before the present generation. */
  #before = NO_COUNTS;
  #inferences = 0;

  constructor(options: ArmRunOptions) {
    this.#options = options;
    const { run, engine, files } = options;
    const { begin, devices, seedVariants } = run;
    this.#reads = new LiveReads(devices);
    this.#tasksByField = byField(engine.tasks.training);
    const tiers = new Map(devices.map(({ id, tier }) => [id, tier ?? EVALUATION_TIER]));
    const last = files.committed.at(-1);
    this.#inferences = last?.inferences ?? 0;
    const from = begin.kind === 'branch' ? begin.now : Date.parse(EPOCH);
    this.#host = new VirtualHost({
      definitions: DEFINITIONS,
      startAt: new Date(last?.now ?? from).toISOString(),
      reads: () => this.#reads.view,
      onEvent: (event, content) => {
        files.append(`${content}\n`);
        this.#fold(event);
      },
      work: createWork({
        engine,
        seedVariants,
        tierOf: (device) => tiers.get(device) ?? EVALUATION_TIER,
        genomeOf: (node) => this.#life(node)?.genome ?? null,
        onAnswer: () => {
          this.#inferences += 1;
        },
      }),
    });
  }

  get now(): number {
    return this.#host.now;
  }

  get events(): number {
    return this.#host.position;
  }

  get tasks(): number {
    return this.#counts.judged;
  }

  get inferences(): number {
    return this.#inferences;
  }

  get lives(): readonly LineageRow[] {
    return [...this.#rows.rows(lineage).values()];
  }

  /** Continues where the files end. */
  async resume(): Promise<void> {
    const recorded: StoredEvent[] = [];
    for await (const event of readHistoryFile(this.#options.files.historyPath))
      recorded.push(asStored(event));
    this.#restore(recorded);
  }

  /** Creates the first generation, or takes over the population of another history. */
  async begin(): Promise<void> {
    const { run, files, signal } = this.#options;
    const { begin, seed } = run;
    if (begin.kind === 'genesis') {
      for (const { id, command } of begin.geneses) {
        this.#host.send({ kind: 'genesis', id }, command, uuidOf('experiment genesis', seed, id));
      }
      await this.#host.runUntilQuiet(signal);
      return;
    }
    for (const event of begin.events) files.append(historyLine(event));
    this.#restore(begin.events, true);
    if (begin.settings !== null) {
      const command: SuperClusterCommand = {
        type: 'ConfigureEvolution',
        data: { settings: begin.settings, onlyIfNone: false },
      };
      const to = { kind: 'superCluster', id: MAIN_SUPER_CLUSTER } as const;
      this.#host.send(to, command, uuidOf('experiment branch', seed, begin.generation));
    }
    await this.#host.runUntilQuiet(signal);
  }

  /** Gives every Node its tasks, one after another. */
  async askAll(generation: number): Promise<void> {
    const { run, signal } = this.#options;
    const { judged, right } = this.#counts;
    this.#before = { ...this.#before, judged, right };
    for (let round = 0; round < run.tasksPerNode; round += 1) {
      const dueAt = new Date(this.#host.now + TASK_MS).toISOString();
      for (const { id: node, cluster } of this.#living()) {
        const task = this.#taskFor(node, cluster, generation, round);
        const taskId = uuidOf('experiment task', run.seed, node, generation, round);
        const command: ClusterCommand = { type: 'ExamineNode', data: { taskId, node, task, dueAt } };
        this.#host.send({ kind: 'cluster', id: cluster }, command, uuidOf('experiment message', taskId));
      }
      await this.#host.runUntilQuiet(signal);
    }
    await this.#host.advanceTo(this.#host.now + PAUSE_MS, signal);
  }

  /** Ends the generations of all Clusters. */
  async breed(): Promise<void> {
    const { run, signal } = this.#options;
    const { born, culled } = this.#counts;
    this.#before = { ...this.#before, born, culled };
    for (const cluster of [...this.#reads.view.clusters.keys()].sort()) {
      const generation = this.#generationOf(cluster) + 1;
      const command: ClusterCommand = { type: 'OpenGeneration', data: { generation } };
      const messageId = uuidOf('experiment generation', run.seed, cluster, generation);
      this.#host.send({ kind: 'cluster', id: cluster }, command, messageId);
    }
    await this.#host.runUntilQuiet(signal);
    await this.#host.advanceTo(this.#host.now + PAUSE_MS, signal);
  }

  async measure(generation: number, isFirst: boolean): Promise<Generation> {
    const { run } = this.#options;
    const at = new Date(this.#host.now).toISOString();
    const minTasks = this.#reads.view.evolution?.settings.minTasks ?? run.begin.minTasks;
    const record = measureGeneration(
      { generation, at, ...this.#happened() },
      this.#reads.view,
      this.#rows.rows(founders),
      minTasks,
    );
    const isDue = isFirst || generation === run.generations || generation % run.heldOutEvery === 0;
    const heldOut = isDue && run.heldOut.length > 0 ? await this.#evaluate() : null;
    return { ...record, heldOut };
  }

  async #evaluate() {
    const { run, engine } = this.#options;
    const { seedVariants, heldOut } = run;
    const living = this.#living().map((node) => this.#evaluated(node));
    return evaluate(living, this.#known(living), heldOut, async (genome, task) => {
      const { promptTemplates, samplingParams, modelA, modelB, specialization } = genome;
      const order = {
        prompt: fillTemplate(promptTemplates.user, task.prompt),
        system: promptTemplates.system,
        params: samplingParams,
        models: [modelA, modelB] as const,
        // The purpose of a draw decides its value, so its name must not change.
        seed: Math.floor(drawOf('examination', task.prompt) * 2 ** 31),
      };
      return (await askModels({ engine, seedVariants }, order, specialization, EVALUATION_TIER)).answers;
    });
  }

  /** Nodes that can be routed to: the living, and for best-of-n all that ever lived, because it remembers the best. */
  #known(living: readonly EvaluatedNode[]): readonly EvaluatedNode[] {
    if (this.#options.run.strategy !== 'best-of-n') return living;
    return this.lives.map(({ node, genome, cluster }) => this.#evaluated({ id: node, genome, cluster }));
  }

  #evaluated({ id, genome, cluster }: Pick<NodeView, 'id' | 'genome' | 'cluster'>): EvaluatedNode {
    return { node: id, genome, fields: this.#fieldsOf(cluster), fitness: this.#reads.tally(id) };
  }

  #fieldsOf(cluster: string): readonly string[] {
    return this.#rows.rows(clusterFields).get(cluster) ?? [];
  }

  get #counts(): Counts {
    return this.#rows.rows(counts).get(TOTAL) ?? NO_COUNTS;
  }

  /** What has happened in the present generation. */
  #happened(): Counts {
    const { born, culled, judged, right } = this.#counts;
    return {
      born: born - this.#before.born,
      culled: culled - this.#before.culled,
      judged: judged - this.#before.judged,
      right: right - this.#before.right,
    };
  }

  #restore(events: readonly StoredEvent[], isBranch = false): void {
    for (const event of events) this.#fold(event);
    const begin = this.#options.run.begin;
    // A branch may begin while messages are under way. They are sent again.
    const isRecent = ({ created }: StoredEvent): boolean => Date.parse(created) >= this.now - ON_THE_WAY_MS;
    this.#host.restore(events, isBranch && begin.kind === 'branch' ? { maySendAgain: isRecent } : {});
    this.#before = this.#counts;
  }

  #fold(event: StoredEvent): void {
    const recorded = recordedOf(event);
    this.#reads.apply(recorded);
    this.#rows.apply(recorded);
  }

  #living(): readonly NodeView[] {
    return [...this.#reads.view.nodes.values()]
      .filter((node) => !node.culled)
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  #life(node: string): LineageRow | undefined {
    return this.#rows.rows(lineage).get(`node/${node}`);
  }

  #generationOf(cluster: string): number {
    const context: unknown = this.#host.head('cluster', cluster)?.snapshot.context;
    return (context as { readonly generation: number } | undefined)?.generation ?? 0;
  }

  #taskFor(node: string, cluster: string, generation: number, round: number): GoldTask {
    const { seed } = this.#options.run;
    const draw = (purpose: string): number => drawOf('experiment', purpose, seed, node, generation, round);
    const all = this.#options.engine.tasks.training;
    const fields = this.#fieldsOf(cluster);
    const own = this.#tasksByField.get(fields[Math.floor(draw('which') * fields.length)] ?? '') ?? all;
    const pool = draw('field') < OWN_FIELD ? own : all;
    const task = pool[Math.floor(draw('task') * pool.length)];
    if (!task) throw new Error('This experiment has no training tasks.');
    return task;
  }
}

function byField(tasks: readonly GoldTask[]): ReadonlyMap<string, readonly GoldTask[]> {
  const fields = new Map<string, GoldTask[]>();
  for (const task of tasks) {
    const field = specializationOf(task.taskType);
    const known = fields.get(field);
    if (known) known.push(task);
    else fields.set(field, [task]);
  }
  return fields;
}
