import type { LineageRow } from '../projections/lineage.ts';
import { quoted } from '../replay/export/text.ts';

/**
 * Lives in formats for other programs: the phylogeny standard of the artificial life community, and Newick. Both need
 * all lives in the order of their births (`bornPosition` of `lineage`), so that a parent comes before its children.
 */

/** The genealogy of the lives contradicts itself. Nothing was written. */
export class PhylogenyError extends Error {
  override readonly name = 'PhylogenyError';
}

type Column = readonly [name: string, of: (life: LineageRow, context: Context) => string | number];

interface Context {
  readonly id: number;
  readonly ancestors: readonly number[];
  readonly startMs: number;
}

/** The standard's own examples use this for "there is none". */
const NONE = 'none';

/**
 * Required columns come first, then conventional ones, then our own. Times are seconds of the history's clock since the
 * first birth; `born_at` and `ended_at` are the same moments in UTC.
 */
const COLUMNS: readonly Column[] = [
  ['id', (_, { id }) => id],
  ['ancestor_list', (_, { ancestors }) => `[${ancestors.length === 0 ? NONE : ancestors.join(',')}]`],
  ['origin_time', ({ bornAt }, { startMs }) => seconds(bornAt, startMs)],
  ['destruction_time', ({ endedAt }, { startMs }) => (endedAt === null ? NONE : seconds(endedAt, startMs))],
  ['node_id', ({ node }) => node],
  ['generation', ({ generation }) => generation],
  ['cause', ({ cause }) => cause],
  ['species', ({ species }) => species],
  ['cluster', ({ cluster }) => cluster],
  ['born_in', ({ bornIn }) => bornIn],
  ['born_at', ({ bornAt }) => bornAt],
  ['ended_at', ({ endedAt }) => endedAt ?? ''],
  ['end_rule', ({ end }) => end?.rule ?? ''],
  ['offspring', ({ offspring }) => offspring],
  ['mutations', ({ mutations }) => mutations.map(({ field }) => field).join(' ')],
  ['judged', (life) => lastFitness(life)?.judged ?? 0],
  ['right', (life) => lastFitness(life)?.right ?? 0],
  ['fitness', (life) => lastFitness(life)?.fitness ?? ''],
  ['score', (life) => lastFitness(life)?.score ?? ''],
  ['specialization', ({ genome }) => genome.specialization],
  ['trait_model_a', ({ genome }) => genome.modelA],
  ['trait_model_b', ({ genome }) => genome.modelB],
  ['trait_temperature', ({ genome }) => genome.samplingParams.temperature],
  ['trait_top_p', ({ genome }) => genome.samplingParams.topP],
  ['trait_top_k', ({ genome }) => genome.samplingParams.topK],
  ['trait_context_tokens', ({ genome }) => genome.samplingParams.contextTokens],
  ['trait_max_tokens', ({ genome }) => genome.samplingParams.maxTokens],
  ['trait_prompt_system', ({ genome }) => genome.promptTemplates.system],
  ['trait_prompt_user', ({ genome }) => genome.promptTemplates.user],
];

/**
 * Placed before the final semicolon. Several readers accept no comment before the tree; all that were tried accept it
 * there.
 */
const NEWICK_COMMENT =
  '[each life hangs on its first parent only: the second parent of a crossover is in phylogeny.csv. Branch lengths are generations]';

/**
 * `phylogeny.csv`: one life per line, both parents of a crossover in `ancestor_list`, by the phylogeny standard of
 * https://alife-data-standards.github.io/alife-data-standards/phylogeny.html. Quoted by RFC 4180, lines end in "\n".
 *
 * @throws PhylogenyError if a parent is missing or younger than its child, or a life occurs twice.
 */
export function phylogenyCsv(lives: readonly LineageRow[]): string {
  const parents = parentIndices(lives);
  const startMs = Date.parse(lives[0]?.bornAt ?? '');
  const lines = lives.map((life, id) => {
    const context = { id, ancestors: parents[id] ?? [], startMs };
    return COLUMNS.map(([, of]) => quoted(String(of(life, context)))).join(',');
  });
  return `${[COLUMNS.map(([name]) => name).join(','), ...lines].join('\n')}\n`;
}

/**
 * The tree of first parents in Newick, with ids of Nodes as quoted labels and generations as branch lengths. Several
 * founders hang on a nameless root that never lived. Lives are inner vertices too, not only leaves.
 *
 * @throws PhylogenyError as `phylogenyCsv`, and if there is no life, because Newick has no empty tree.
 */
export function newick(lives: readonly LineageRow[]): string {
  if (lives.length === 0) throw new PhylogenyError('There is no life to draw a tree of.');
  const parents = parentIndices(lives).map(([first]) => first ?? null);
  const children: number[][] = lives.map(() => []);
  const founders: number[] = [];
  for (const [index, parent] of parents.entries()) {
    (parent === null ? founders : children[parent])?.push(index);
  }
  const vertex = (index: number): string => {
    const [life, parent] = [lives[index], lives[parents[index] ?? -1]];
    const length = Math.max(0, (life?.generation ?? 0) - (parent?.generation ?? 0));
    return `'${life?.node.replaceAll("'", "''")}':${length}`;
  };
  const several = founders.length > 1;
  const tree = written(founders, children, vertex).join('');
  return `${several ? `(${tree}):0` : tree}${NEWICK_COMMENT};\n`;
}

/**
 * Several trees, each with its children before it. Without recursion, because a lineage can be as deep as a history is
 * long.
 */
function written(
  roots: readonly number[],
  children: readonly (readonly number[])[],
  vertex: (index: number) => string,
): string[] {
  const parts: string[] = [];
  const open = [{ of: roots, next: 0 }];
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const index = level.of[level.next];
    if (index === undefined) {
      open.pop();
      const above = open.at(-1);
      const parent = above?.of[above.next - 1];
      if (parent !== undefined) parts.push(')', vertex(parent));
      continue;
    }
    if (level.next > 0) parts.push(',');
    level.next += 1;
    const below = children[index] ?? [];
    if (below.length === 0) {
      parts.push(vertex(index));
    } else {
      parts.push('(');
      open.push({ of: below, next: 0 });
    }
  }
  return parts;
}

/** The indices of each life's parents, in the order of the parents. */
function parentIndices(lives: readonly LineageRow[]): readonly (readonly number[])[] {
  const indices = new Map<string, number>();
  return lives.map(({ node, parents }, index) => {
    if (indices.has(node)) throw new PhylogenyError(`The life of ${node} occurs twice.`);
    const found = [...new Set(parents)].map((parent) => {
      const at = indices.get(parent);
      if (at === undefined) {
        throw new PhylogenyError(
          `${parent}, a parent of ${node}, is not among the lives before it. Give all lives in the order of their births.`,
        );
      }
      return at;
    });
    indices.set(node, index);
    return found;
  });
}

function lastFitness({ fitness }: LineageRow): LineageRow['fitness'][number] | undefined {
  return fitness.at(-1);
}

function seconds(at: string, startMs: number): number {
  return (Date.parse(at) - startMs) / 1000;
}
