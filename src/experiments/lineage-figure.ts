import * as Plot from '@observablehq/plot';
import type { LineageRow } from '../projections/lineage.ts';
import { colourOf, type Figure, GREY, type LegendEntry } from './drawing.ts';

/** Most lives in a figure. More could not be told apart. */
const DRAWN_LIVES = 600;
const NAMED_SPECIALIZATIONS = 9;
const OTHER = 'other specializations';

interface Unit {
  readonly name: string;
  readonly ms: number;
}

const SECONDS: Unit = { name: 'seconds', ms: 1000 };
const UNITS: readonly Unit[] = [
  { name: 'days', ms: 86_400_000 },
  { name: 'hours', ms: 3_600_000 },
  { name: 'minutes', ms: 60_000 },
];

interface Life {
  readonly row: LineageRow;
  readonly y: number;
  /** In units since the first birth. */
  readonly from: number;
  readonly to: number;
  readonly kind: string;
}

/**
 * The tree of one arm's lives. Each life is a line from birth to end and hangs on its first parent. A ring marks
 * children of two parents. Siblings and their descendants are drawn together, founders below each other.
 */
export function lineageFigure(
  lives: readonly LineageRow[],
  { title, notes = [] }: { readonly title: string; readonly notes?: readonly string[] },
): Figure {
  const shown = chosen(lives);
  const unit = unitOf(lives);
  const laid = layout(shown, lives, unit);
  const at = new Map(laid.map((life) => [life.row.node, life]));
  const kinds = kindsOf(laid);
  const legend: LegendEntry[] = kinds.map((name, index) => ({ name, colour: colour(name, index) }));
  const branches = laid.flatMap((life) => {
    const parent = at.get(life.row.parents[0] ?? '');
    return parent ? [{ x: life.from, y1: parent.y, y2: life.y, kind: life.kind }] : [];
  });
  const crossed = laid.filter(({ row }) => row.parents.length > 1);
  const height = Math.min(1000, Math.max(260, 80 + 1.6 * laid.length));
  const living = laid.filter(({ row }) => row.endedAt === null);
  return {
    title,
    notes: [
      [
        ...notes,
        'Each line is a life, from birth to end, and hangs on its first parent. A dot ends those that still live.',
        ...(crossed.length > 0 ? ['A ring begins those that have a second parent.'] : []),
      ].join(' '),
      ...(shown.length < lives.length
        ? [
            `${shown.length} of ${lives.length.toLocaleString('en-US')} lives are drawn: the youngest that still live with their ancestors, then the oldest of the rest. phylogeny.csv has all.`,
          ]
        : []),
    ],
    legend,
    panels: [
      [
        {
          title: '',
          width: 900,
          height,
          options: {
            marginLeft: 20,
            marginBottom: 44,
            x: {
              label: `time since the first birth (${unit.name} of virtual time) →`,
              labelAnchor: 'center',
            },
            y: {
              reverse: true,
              domain: [-1, laid.length],
              label: 'lives',
              labelAnchor: 'center',
              labelArrow: 'none',
              ticks: [],
            },
            color: { domain: kinds, range: legend.map(({ colour }) => colour) },
            marks: [
              Plot.ruleX(branches, { x: 'x', y1: 'y1', y2: 'y2', stroke: 'kind', strokeWidth: 0.7 }),
              Plot.ruleY(laid, { y: 'y', x1: 'from', x2: 'to', stroke: 'kind', strokeWidth: 1.4 }),
              Plot.dot(crossed, {
                x: 'from',
                y: 'y',
                r: 1.6,
                stroke: 'kind',
                strokeWidth: 0.8,
                fill: 'white',
              }),
              Plot.dot(living, { x: 'to', y: 'y', r: 2, fill: 'kind' }),
            ],
          },
        },
      ],
    ],
  };
}

/**
 * At most `DRAWN_LIVES` lives, in whole chains of first parents: first those of the youngest living Nodes, then of the
 * oldest lives.
 */
function chosen(lives: readonly LineageRow[]): LineageRow[] {
  if (lives.length <= DRAWN_LIVES) return [...lives];
  const byNode = new Map(lives.map((row) => [row.node, row]));
  const taken = new Set<string>();
  const living = lives.filter(({ endedAt }) => endedAt === null).reverse();
  for (const row of [...living, ...lives]) {
    const chain: string[] = [];
    for (
      let one: LineageRow | undefined = row;
      one && !taken.has(one.node);
      one = byNode.get(one.parents[0] ?? '')
    ) {
      chain.push(one.node);
    }
    if (taken.size + chain.length > DRAWN_LIVES) continue;
    for (const node of chain) taken.add(node);
    if (taken.size === DRAWN_LIVES) break;
  }
  return lives.filter(({ node }) => taken.has(node));
}

/** Rows in the order of a walk to the youngest child first, so that branches do not cross the lives of siblings. */
function layout(shown: readonly LineageRow[], all: readonly LineageRow[], unit: Unit): Life[] {
  const { start, last } = spanOf(all);
  const children = new Map<string, LineageRow[]>();
  const known = new Set(shown.map(({ node }) => node));
  const founders: LineageRow[] = [];
  for (const row of shown) {
    const [parent] = row.parents;
    if (parent === undefined || !known.has(parent)) founders.push(row);
    else children.set(parent, [...(children.get(parent) ?? []), row]);
  }
  const laid: Life[] = [];
  const waiting = founders.reverse();
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    laid.push({
      row,
      y: laid.length,
      from: (Date.parse(row.bornAt) - start) / unit.ms,
      to: ((row.endedAt === null ? last : Date.parse(row.endedAt)) - start) / unit.ms,
      kind: row.genome.specialization,
    });
    waiting.push(...(children.get(row.node) ?? []));
  }
  return named(laid);
}

/** Rare specializations share one colour. */
function named(laid: readonly Life[]): Life[] {
  const counts = new Map<string, number>();
  for (const { kind } of laid) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const frequent = [...counts]
    .sort(([one, n], [other, m]) => m - n || (one < other ? -1 : 1))
    .slice(0, NAMED_SPECIALIZATIONS);
  const kept = new Set(frequent.map(([kind]) => kind));
  return laid.map((life) => (kept.has(life.kind) ? life : { ...life, kind: OTHER }));
}

function kindsOf(laid: readonly Life[]): string[] {
  const kinds = [...new Set(laid.map(({ kind }) => kind))].filter((kind) => kind !== OTHER).sort();
  return laid.some(({ kind }) => kind === OTHER) ? [...kinds, OTHER] : kinds;
}

function colour(kind: string, index: number): string {
  return kind === OTHER ? GREY : colourOf(index);
}

/** The first birth, and the last birth or end, in milliseconds. */
function spanOf(lives: readonly LineageRow[]): { readonly start: number; readonly last: number } {
  const start = Date.parse(lives[0]?.bornAt ?? '');
  const moments = lives.flatMap(({ bornAt, endedAt }) => [Date.parse(bornAt), Date.parse(endedAt ?? bornAt)]);
  return { start, last: moments.reduce((latest, at) => Math.max(latest, at), start) };
}

/** The greatest unit that fits into the span at least three times. */
function unitOf(lives: readonly LineageRow[]): Unit {
  const { start, last } = spanOf(lives);
  return UNITS.find(({ ms }) => last - start >= 3 * ms) ?? SECONDS;
}
