import { drawOf } from '../events/envelope.ts';
import type { EvolutionSettings, GenePool, Tier } from '../events/evolution.ts';
import type { GenesisCommand } from '../events/genesis.ts';
import { MAIN_SUPER_CLUSTER } from '../events/super-cluster.ts';
import { FOUNDING_RULES } from '../evolution/founding-rules.ts';
import { type Draw, randomGenome } from '../evolution/genetics.ts';
import type { LiveDevice } from '../projections/network-view.ts';
import type { Arm, ExperimentConfig } from './config.ts';

/** The first generation of an experiment, and the devices of the whole experiment. */
export interface Population {
  readonly devices: readonly Required<LiveDevice>[];
  /** Genesis sagas by id, to be begun in this order. The first one forms the Super Cluster. */
  readonly geneses: readonly { readonly id: string; readonly command: GenesisCommand }[];
}

type Plan = Extract<GenesisCommand, { type: 'BeginGenesis' }>['data'];
type Seed = Plan['seeds'][number];

/** Regions of the devices, drawn evenly, with the round trip to them in milliseconds. */
const REGIONS: readonly { readonly region: string; readonly proximityMs: number }[] = [
  { region: 'north', proximityMs: 10 },
  { region: 'south', proximityMs: 40 },
  { region: 'east', proximityMs: 80 },
  { region: 'west', proximityMs: 120 },
];

const SEED_SPECIES = 'random';

/** Fewest Nodes of a Cluster. */
const FEWEST_MEMBERS = 5;

/** Most Nodes of one genesis, whose single event must fit into an append. */
const NODES_PER_GENESIS = 500;

/**
 * `nodes` Nodes with random genomes, in Clusters of nearly equal size. Each Node has a device with one slot, so the
 * population keeps its size, whatever selection does. Specializations take turns, so that each occurs equally often;
 * everything else is drawn. The same seed gives every arm the same population.
 */
export function populate(
  { nodes, clusterSize, tiers }: Pick<ExperimentConfig, 'nodes' | 'clusterSize' | 'tiers'>,
  seed: number,
  settings: EvolutionSettings,
): Population {
  const { genePool } = settings;
  const devices: Required<LiveDevice>[] = [];
  const seeds: Seed[] = clusterSizes(nodes, clusterSize).map((size, index) => {
    const cluster = `c${padded(index + 1, 4)}`;
    const members = Array.from({ length: size }, (_, place) => {
      const number = devices.length;
      const node = `${cluster}-${padded(place + 1, 2)}`;
      const draw: Draw = (purpose) => drawOf('genesis', seed, node, purpose);
      const device = deviceOf(number, tiers, draw);
      devices.push(device);
      const genome = randomGenome(genePool, device.tier, draw);
      const specialization = inTurn(genePool.specializations, number) ?? genome.specialization;
      return {
        node,
        species: SEED_SPECIES,
        genome: { ...genome, specialization },
        device: device.id,
        owner: device.owner ?? '',
      };
    });
    const specialization = inTurn(genePool.specializations, index) ?? '';
    return { cluster, name: `Random genomes ${index + 1}`, specialization, nodes: members };
  });
  return { devices, geneses: genesesOf(seeds, settings) };
}

/** The rules of an arm's evolution. The experiment decides when generations end and which gold tasks there are. */
export function settingsOf(
  { tasksPerNode, evolution }: Pick<ExperimentConfig, 'tasksPerNode' | 'evolution'>,
  { strategy, overrides }: Pick<Arm, 'strategy' | 'overrides'>,
  genePool: GenePool,
): EvolutionSettings {
  return {
    tasksPerGeneration: 1_000_000,
    generationMs: 31 * 86_400_000,
    minTasks: Math.min(10, tasksPerNode),
    ...FOUNDING_RULES,
    ...defined(evolution),
    ...defined(overrides),
    strategy,
    goldShare: 0,
    genePool,
  };
}

/**
 * The smallest number of Clusters that hold all Nodes. None has fewer than five, so they may be larger than asked for.
 */
export function clusterSizes(nodes: number, clusterSize: number): readonly number[] {
  const count = Math.min(Math.ceil(nodes / clusterSize), Math.floor(nodes / FEWEST_MEMBERS));
  return Array.from({ length: count }, (_, index) => Math.floor((nodes + index) / count)).reverse();
}

function deviceOf(number: number, tiers: readonly Tier[], draw: Draw): Required<LiveDevice> {
  const id = `device-${padded(number + 1, 5)}`;
  const tier = tiers[Math.floor(draw('tier') * tiers.length)] ?? null;
  const { region, proximityMs } = REGIONS[Math.floor(draw('region') * REGIONS.length)] ?? {
    region: null,
    proximityMs: 0,
  };
  return { id, tier, region, proximityMs, slots: 1, owner: `owner-${padded(number + 1, 5)}` };
}

function genesesOf(seeds: readonly Seed[], evolution: EvolutionSettings): Population['geneses'] {
  const plans: Seed[][] = [];
  let room = 0;
  for (const seed of seeds) {
    room -= seed.nodes.length;
    const last = plans.at(-1);
    if (last && room >= 0) last.push(seed);
    else {
      plans.push([seed]);
      room = NODES_PER_GENESIS - seed.nodes.length;
    }
  }
  return plans.map((part, index) => {
    const id = index === 0 ? 'main' : `main-${index + 1}`;
    const data: Plan = {
      network: id,
      superCluster: index === 0 ? MAIN_SUPER_CLUSTER : null,
      seeds: part,
      evolution: index === 0 ? evolution : null,
    };
    return { id, command: { type: 'BeginGenesis', data } };
  });
}

function inTurn<Item>(items: readonly Item[], index: number): Item | undefined {
  return items[index % items.length];
}

/** Removes `undefined` values, which would replace defaults. */
function defined<Shape extends object>(
  overrides: Shape,
): { [Key in keyof Shape]: Exclude<Shape[Key], undefined> } {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) as {
    // `fromEntries` forgets the keys' types.
    [Key in keyof Shape]: Exclude<Shape[Key], undefined>;
  };
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
