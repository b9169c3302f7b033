import type { StoredEvent } from '../../src/eventstore/port.ts';

/** What happened to a population, from its history. */
export interface Population {
  /** By `cluster/generation`: how often it was opened and closed. */
  readonly generations: ReadonlyMap<string, { readonly opened: number; readonly closed: number }>;
  readonly culled: ReadonlySet<string>;
  readonly retired: ReadonlySet<string>;
  /** Nodes that a generation bred and that were born. */
  readonly offspring: ReadonlySet<string>;
}

/** Everything that happened is in order of position. */
export function populationOf(events: readonly StoredEvent[]): Population {
  const generations = new Map<string, { opened: number; closed: number }>();
  const [bred, born] = [new Set<string>(), new Set<string>()];
  const [culled, retired] = [new Set<string>(), new Set<string>()];
  for (const { stream, type, data } of events) {
    const id = stream.slice(stream.indexOf('-') + 1);
    if (type === 'GenerationOpened' || type === 'GenerationClosed') {
      const key = `${id}/${String(data.generation)}`;
      const counts = generations.get(key) ?? { opened: 0, closed: 0 };
      counts[type === 'GenerationOpened' ? 'opened' : 'closed'] += 1;
      generations.set(key, counts);
    } else if (type === 'NodeBorn') born.add(id);
    else if (type === 'NodeCulled') culled.add(id);
    else if (type === 'NodeRetired') retired.add(id);
    else if (type === 'OffspringBred') bred.add(slotOf(data));
  }
  return { generations, culled, retired, offspring: new Set([...bred].filter((node) => born.has(node))) };
}

/**
 * The problems in a history after evolution has come to rest. `slots`: the slots that every device lends.
 * Nothing may be lost or happen twice, whatever was killed.
 */
export function evolutionProblems(events: readonly StoredEvent[], slots: number): string[] {
  const problems: string[] = [];
  const { generations } = populationOf(events);
  for (const [key, { opened, closed }] of generations) {
    if (opened !== 1 || closed !== 1)
      problems.push(`generation ${key}: opened ${opened}×, closed ${closed}×`);
  }
  const seeds = new Set<string>();
  const granted = new Map<string, Set<string>>();
  const bred = new Map<string, number>();
  const births = new Map<string, number>();
  const devices = new Map<string, string>();
  const occupied = new Map<string, number>();
  const [culled, retired] = [new Map<string, number>(), new Map<string, number>()];
  const count = (counts: Map<string, number>, key: string, by = 1): number => {
    const next = (counts.get(key) ?? 0) + by;
    counts.set(key, next);
    return next;
  };
  for (const { stream, type, data, position } of events) {
    const id = stream.slice(stream.indexOf('-') + 1);
    switch (type) {
      case 'GenesisBegun':
        for (const node of seedsOf(data)) seeds.add(node);
        break;
      case 'SlotsGranted':
        // The same grant may be repeated.
        for (const node of slotsOf(data)) {
          granted.set(node, (granted.get(node) ?? new Set()).add(String(data.claim)));
        }
        break;
      case 'OffspringBred':
        count(bred, slotOf(data));
        if (!granted.get(slotOf(data))?.has(id)) problems.push(`${slotOf(data)} was bred without a slot`);
        break;
      case 'NodeBorn': {
        if (count(births, id) > 1) problems.push(`${id} was born again at position ${position}`);
        if (!seeds.has(id) && !bred.has(id)) problems.push(`${id} was born of nothing`);
        const device = String(data.device);
        devices.set(id, device);
        const living = count(occupied, device);
        if (living > slots) problems.push(`${device} holds ${living} Nodes at position ${position}`);
        break;
      }
      case 'NodeCulled':
        count(culled, id);
        break;
      case 'NodeRetired':
        count(retired, id);
        count(occupied, devices.get(id) ?? '', -1);
        break;
      case 'TaskAccepted':
        if (culled.has(id)) problems.push(`${id} took a task after it was culled`);
        break;
    }
  }
  for (const [node, claims] of granted) {
    if (claims.size > 1) problems.push(`${node} was granted to ${[...claims].join(' and ')}`);
    if (!bred.has(node)) problems.push(`${node} was granted a slot and never bred`);
  }
  for (const [node, times] of bred) {
    if (times !== 1 || births.get(node) !== 1) {
      problems.push(`${node} was bred ${times}× and born ${births.get(node) ?? 0}×`);
    }
  }
  for (const node of new Set([...culled.keys(), ...retired.keys()])) {
    const [ends, leaves] = [culled.get(node) ?? 0, retired.get(node) ?? 0];
    if (ends !== 1 || leaves !== 1) problems.push(`${node} was culled ${ends}× and retired ${leaves}×`);
  }
  return problems;
}

/** Generations, culled Nodes and offspring that have not yet ended, retired or been born, as text for people. */
export function unfinishedEvolution(events: readonly StoredEvent[]): string[] {
  const { generations, culled, retired } = populationOf(events);
  return [
    ...[...generations]
      .filter(([, { opened, closed }]) => closed < opened)
      .map(([key]) => `generation ${key}`),
    ...[...culled].filter((node) => !retired.has(node)).map((node) => `retirement of ${node}`),
  ];
}

type Data = StoredEvent['data'];

function seedsOf(data: Data): readonly string[] {
  const seeds = data.seeds as readonly { readonly nodes: readonly { readonly node: string }[] }[]; // GenesisBegun
  return seeds.flatMap(({ nodes }) => nodes.map(({ node }) => node));
}

function slotsOf(data: Data): readonly string[] {
  return (data.slots as readonly { readonly node: string }[]).map(({ node }) => node); // SlotsGranted
}

function slotOf(data: Data): string {
  return (data.slot as { readonly node: string }).node; // OffspringBred
}
