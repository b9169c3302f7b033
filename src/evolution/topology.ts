import type { ClusterKind } from '../events/evolution.ts';

export interface MemberView {
  readonly node: string;
  readonly specialization: string;
  /** Region of its device; null if unknown. */
  readonly region: string | null;
}

export interface Character {
  readonly kind: ClusterKind;
  readonly name: string;
  /** The most common specialization. */
  readonly specialization: string;
  /** Share of the members that have what the name says, 0–1. */
  readonly share: number;
}

/**
 * How a Cluster should change: some members leave together for a new Cluster, or all members move to another
 * one.
 */
export type Reshape =
  | { readonly kind: 'split'; readonly movers: readonly string[]; readonly cause: string }
  | { readonly kind: 'merge'; readonly into: string; readonly cause: string }
  | null;

export interface ClusterView {
  readonly cluster: string;
  readonly members: readonly MemberView[];
  /** Mean score of the members, 0–1; null if none was judged. */
  readonly score: number | null;
}

export interface OtherCluster {
  readonly cluster: string;
  readonly members: number;
  readonly specialization: string;
  readonly score: number | null;
}

export interface Limits {
  /** The founding document's limits for the size of a Cluster. */
  readonly min: number;
  readonly max: number;
  /** A Cluster with more members than this splits before it is full. */
  readonly splitAbove: number;
}

export const LIMITS: Limits = { min: 5, max: 50, splitAbove: 40 };

/** A Cluster is named after what at least this share of its members have in common. */
const NAMING_SHARE = 0.7;

/** The limit below which a Cluster fails. It is also the limit for a crisis of the network. */
export const FAILING_SCORE = 0.55;

const MAX_NAME = 80;

/**
 * The kind of a Cluster: specialized if most members share a specialization, else geographic if most share a
 * region and the network has several regions, else hybrid. If two are equally common, the first by name counts.
 */
export function characterise(members: readonly MemberView[], regionsInNetwork: number): Character {
  const [specialization, specialized] = mostCommon(members.map((member) => member.specialization));
  const [region, near] = mostCommon(members.flatMap((member) => member.region ?? []));
  const share = specialized / Math.max(1, members.length);
  const nearShare = near / Math.max(1, members.length);
  if (share >= NAMING_SHARE)
    return { kind: 'specialized', name: title(specialization), specialization, share };
  if (nearShare >= NAMING_SHARE && regionsInNetwork > 1) {
    const name = `Region ${region}`.slice(0, MAX_NAME);
    return { kind: 'geographic', name, specialization, share: nearShare };
  }
  return { kind: 'hybrid', name: 'Hybrid', specialization, share };
}

/**
 * Whether a Cluster should split or merge, from its own point of view.
 *
 * It splits above `splitAbove` members, if both parts have at least `min`. The second most common
 * specialization or region leaves, whichever has more members; otherwise half of the members, in order of id.
 * It merges if it is too small, or if it is the worst of its specialization and fails. It joins the best
 * Cluster of its specialization that has room; a Cluster that is only too small takes one of another
 * specialization if there is none. A failing Cluster moves only if the two together need not split again.
 *
 * Of two Clusters that are both too small, only one moves, so they never swap. Otherwise each Cluster decides
 * alone: its target may itself be about to merge, so the caller must check that the target still
 * exists.
 */
export function reshape(
  self: ClusterView,
  others: readonly OtherCluster[],
  limits: Limits = LIMITS,
): Reshape {
  const size = self.members.length;
  if (size > limits.splitAbove) return split(self.members, limits);
  if (size === 0) return null;
  const [specialization] = mostCommon(self.members.map((member) => member.specialization));
  const alike = others.filter((other) => other.specialization === specialization);
  if (size < limits.min) {
    const open = others.filter(
      (other) => other.members + size <= limits.max && (other.members >= limits.min || yields(self, other)),
    );
    const near = open.filter((other) => other.specialization === specialization);
    const target = best(near.length > 0 ? near : open);
    const cause = `${size} members are fewer than the ${limits.min} of a Cluster`;
    return target ? { kind: 'merge', into: target.cluster, cause } : null;
  }
  if (!fails(self, alike)) return null;
  const target = best(
    alike.filter((other) => other.members >= limits.min && other.members + size <= limits.splitAbove),
  );
  if (target === undefined) return null;
  const cause =
    `the worst of ${alike.length + 1} ${specialization} Clusters, with a score of ` +
    `${(self.score ?? 0).toFixed(2)}, below ${FAILING_SCORE}`;
  return { kind: 'merge', into: target.cluster, cause };
}

function split(members: readonly MemberView[], { min, splitAbove }: Limits): Reshape {
  const nodes = members.map(({ node }) => node).sort();
  const cause = `${nodes.length} members are more than ${splitAbove}`;
  const alike = secondGroup(members, ({ specialization }) => specialization);
  const near = secondGroup(members, ({ region }) => region);
  const group = near.nodes.length > alike.nodes.length ? near : alike;
  // The most common ones stay, and there are at least as many of them.
  if (group.nodes.length >= min) {
    return { kind: 'split', movers: group.nodes, cause: `${cause}: the ${group.name} ones leave` };
  }
  const movers = nodes.slice(Math.ceil(nodes.length / 2));
  if (movers.length < min) return null;
  return { kind: 'split', movers, cause: `${cause}: half of them leave` };
}

/** The members with the second most common trait, in order of id. Null counts as no trait. */
function secondGroup(
  members: readonly MemberView[],
  traitOf: (member: MemberView) => string | null,
): { readonly name: string; readonly nodes: readonly string[] } {
  const [first] = mostCommon(members.flatMap((member) => traitOf(member) ?? []));
  const rest = members.filter((member) => traitOf(member) !== first);
  const [name] = mostCommon(rest.flatMap((member) => traitOf(member) ?? []));
  const nodes = rest.filter((member) => traitOf(member) === name).map(({ node }) => node);
  return { name, nodes: nodes.sort() };
}

/**
 * Whether the Cluster is the worst of its specialization and below the limit. Of equals, the last by id is the
 * worst.
 */
function fails(self: ClusterView, alike: readonly OtherCluster[]): boolean {
  const { score, cluster } = self;
  const scored = alike.filter((other) => other.score !== null);
  if (score === null || score >= FAILING_SCORE || scored.length === 0) return false;
  return scored.every(
    (other) => (other.score ?? 0) > score || (other.score === score && other.cluster < cluster),
  );
}

/** Of two Clusters that are too small, the smaller one moves; of equals, the last by id. */
function yields(self: ClusterView, other: OtherCluster): boolean {
  const size = self.members.length;
  return size < other.members || (size === other.members && self.cluster > other.cluster);
}

/** The best by score, unmeasured ones last; then the smallest, then the first by id. */
function best(clusters: readonly OtherCluster[]): OtherCluster | undefined {
  return [...clusters].sort(
    (a, b) => (b.score ?? -1) - (a.score ?? -1) || a.members - b.members || (a.cluster < b.cluster ? -1 : 1),
  )[0];
}

/** The most common name and its count. Of equals, the first by name. */
function mostCommon(names: readonly string[]): readonly [name: string, count: number] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0] ?? ['none', 0];
}

function title(specialization: string): string {
  return specialization.charAt(0).toUpperCase() + specialization.slice(1);
}
