import * as Plot from '@observablehq/plot';
import { EvolutionMode } from '../events/evolution.ts';
import type { LineageRow } from '../projections/lineage.ts';
import { colourOf, dashOf, drawn, type Figure, type LegendEntry, type Panel } from './drawing.ts';
import { lineageFigure } from './lineage-figure.ts';
import { accuracyOf, armsOf, championSeries, type Point, seriesOf, shownArm } from './series.ts';
import type { Arm, Summary } from './summary.ts';

/** An experiment's figures by the names of their files. */
export interface Figures {
  readonly 'fitness.svg': string;
  readonly 'held-out.svg': string;
  readonly 'diversity.svg': string;
  readonly 'specialization.svg': string;
  readonly 'modes.svg': string;
  /** Where lives were given. */
  readonly 'lineage.svg'?: string;
}

const WIDTH = 430;
const HEIGHT = 300;
const FRACTION: readonly [number, number] = [0, 1];
/** Lines with at most this many points show each point. */
const DOTTED_POINTS = 15;
/** From calm to alarm, darker as it gets worse. */
const MODE_COLOURS: Readonly<Record<EvolutionMode, string>> = {
  normal: '#d6dce0',
  increased: '#fdcc8a',
  aggressive: '#fc8d59',
  crisis: '#b30000',
};

/**
 * All figures of an experiment. `lives` are those of one arm at one seed, in the order of their births; `of` names the
 * arm and the seed. The same arguments give the same bytes.
 */
export function figuresOf(summary: Summary, lives?: readonly LineageRow[], of?: string): Figures {
  return {
    'fitness.svg': drawn(fitnessFigure(summary)),
    'held-out.svg': drawn(heldOutFigure(summary)),
    'diversity.svg': drawn(diversityFigure(summary)),
    'specialization.svg': drawn(specializationFigure(summary)),
    'modes.svg': drawn(modesFigure(summary)),
    ...(lives !== undefined && {
      'lineage.svg': drawn(
        lineageFigure(lives, {
          title: titled(summary, of === undefined ? 'Lineage' : `Lineage of ${of}`),
          notes: [`Engine: ${summary.engine}.`],
        }),
      ),
    }),
  };
}

function fitnessFigure(summary: Summary): Figure {
  const judged = (value: number, n: number): number | null => (n === 0 ? null : value);
  return {
    title: titled(summary, 'Fitness by generation'),
    notes: [noteOf(summary)],
    legend: legendOf(summary),
    panels: [
      [
        linePanel(
          summary,
          'Mean of the population',
          'normalised fitness (0–1)',
          seriesOf(summary, 'fitness', ({ fitness }) => judged(fitness.mean, fitness.n)),
        ),
        linePanel(
          summary,
          'Best Node',
          'normalised fitness (0–1)',
          seriesOf(summary, 'best', ({ fitness }) => judged(fitness.best, fitness.n)),
        ),
      ],
    ],
  };
}

function heldOutFigure(summary: Summary): Figure {
  const sizes = [...new Set(summary.arms.map(({ heldOutSize }) => heldOutSize))];
  return {
    title: titled(summary, 'Held-out accuracy by generation'),
    notes: [
      noteOf(summary),
      `Examinations of ${sizes.join(' or ')} tasks that no selection sees.${
        seedsOf(summary).length > 1
          ? ''
          : " The best Nodes' bands are 95 % intervals over the tasks (Wilson)."
      }`,
    ],
    legend: legendOf(summary),
    panels: [
      [
        linePanel(
          summary,
          'Whole population',
          'share of right answers (0–1)',
          seriesOf(summary, 'held-out', ({ heldOut }) => accuracyOf(heldOut)),
        ),
        linePanel(summary, 'Best Nodes, voting', 'share of right answers (0–1)', championSeries(summary)),
      ],
    ],
  };
}

function diversityFigure(summary: Summary): Figure {
  const measures = [
    ['Genomes', 'distinct genomes', 'genomes'],
    ['Models', 'distinct models', 'models'],
    ['Evenness of the models', 'entropy (bits)', 'modelEntropyBits'],
    ['Specializations', 'distinct specializations', 'specializations'],
  ] as const;
  const [genomes, models, entropy, specializations] = measures.map(([title, label, key]) =>
    linePanel(
      summary,
      title,
      label,
      seriesOf(summary, key, ({ diversity }) => diversity[key]),
      {
        zero: true,
      },
    ),
  );
  const rows = [[genomes, models].flatMap(present), [entropy, specializations].flatMap(present)];
  return {
    title: titled(summary, 'Diversity by generation'),
    notes: [noteOf(summary)],
    legend: legendOf(summary),
    panels: rows,
  };
}

function specializationFigure(summary: Summary): Figure {
  const chance = seriesOf(summary, 'chance', ({ specialization }) => specialization.expectedByChance);
  return {
    title: titled(summary, 'Specialization by generation'),
    notes: [
      'Mutual information between lineage and task type. Thin lines below: what as many answers show by chance alone.',
      noteOf(summary),
    ],
    legend: legendOf(summary),
    panels: [
      [
        linePanel(
          summary,
          'Mutual information and its chance level',
          'mutual information (bits)',
          seriesOf(summary, 'information', ({ specialization }) => specialization.mutualInformation),
          { zero: true, thin: chance },
        ),
        linePanel(
          summary,
          'Share of what there is to know',
          "share of the task types' entropy (0–1)",
          seriesOf(summary, 'normalised', ({ specialization }) => specialization.normalised),
          { zero: true },
        ),
      ],
    ],
  };
}

/** One row of cells per seed and one block of rows per arm, without any averages. */
function modesFigure(summary: Summary): Figure {
  const cells = summary.arms.flatMap((arm) =>
    stretchesOf(arm).map((stretch) => ({ arm: shownArm(arm), seed: arm.seed, ...stretch })),
  );
  const modes = EvolutionMode.options;
  const longest = generationsOf(summary);
  const panels = armsOf(summary).map((arm, index, arms): Panel => {
    const seeds = seedsOf({ ...summary, arms: summary.arms.filter((one) => shownArm(one) === arm) });
    const row = Math.max(3, Math.min(18, 220 / seeds.length));
    const last = index === arms.length - 1;
    return {
      title: arm,
      width: 2 * WIDTH,
      height: Math.round(row * seeds.length + (last ? 56 : 22)),
      options: {
        marginLeft: 60,
        marginTop: 4,
        marginBottom: last ? 52 : 18,
        x: {
          domain: [-0.5, longest + 0.5],
          label: last ? 'generation →' : null,
          labelAnchor: 'center',
          tickFormat: whole,
        },
        y: {
          domain: seeds,
          label: 'seed',
          labelAnchor: 'top',
          labelArrow: 'none',
          labelOffset: 55,
          tickSize: 0,
          ...(row < 12 && { ticks: [] }),
        },
        color: { domain: modes, range: modes.map((mode) => MODE_COLOURS[mode]) },
        marks: [
          Plot.barX(
            cells.filter((cell) => cell.arm === arm),
            { x1: 'x1', x2: 'x2', y: 'seed', fill: 'mode', insetTop: 0.5, insetBottom: 0.5, inset: 0 },
          ),
        ],
      },
    };
  });
  return {
    title: titled(summary, 'Mode of evolution by generation'),
    notes: ['A row is a seed. How hard evolution presses follows from the fitness of the network.'],
    legend: modes.map((mode) => ({ name: mode, colour: MODE_COLOURS[mode] })),
    panels: panels.map((panel) => [panel]),
  };
}

/** Consecutive generations with the same mode. */
function stretchesOf({ generations }: Arm): { mode: EvolutionMode; x1: number; x2: number }[] {
  const stretches: { mode: EvolutionMode; x1: number; x2: number }[] = [];
  for (const { generation, mode } of generations) {
    const last = stretches.at(-1);
    if (last?.mode === mode && last.x2 === generation - 0.5) last.x2 = generation + 0.5;
    else stretches.push({ mode, x1: generation - 0.5, x2: generation + 0.5 });
  }
  return stretches;
}

function linePanel(
  summary: Summary,
  title: string,
  label: string,
  points: readonly Point[],
  { zero = false, thin = [] }: { readonly zero?: boolean; readonly thin?: readonly Point[] } = {},
): Panel {
  const arms = armsOf(summary);
  const bands = points.flatMap(({ arm, generation, interval }) =>
    interval === null ? [] : [{ arm, generation, ...interval }],
  );
  const sparse = points.length <= DOTTED_POINTS * arms.length;
  return {
    title,
    width: WIDTH,
    height: HEIGHT,
    options: {
      marginLeft: 52,
      marginRight: 12,
      marginTop: 26,
      marginBottom: 42,
      x: {
        label: 'generation →',
        labelAnchor: 'center',
        tickFormat: whole,
        domain: [0, Math.max(1, generationsOf(summary))],
      },
      y: {
        label: `↑ ${label}`,
        grid: true,
        nice: true,
        zero,
        ...(points.length === 0 && { domain: FRACTION }),
      },
      color: { domain: arms, range: arms.map((_, index) => colourOf(index)) },
      marks: [
        Plot.areaY(bands, {
          x: 'generation',
          y1: 'low',
          y2: 'high',
          z: 'arm',
          fill: 'arm',
          fillOpacity: 0.15,
        }),
        ...arms.flatMap((arm, index) => {
          const own = (all: readonly Point[]): Point[] => all.filter((point) => point.arm === arm);
          const place = { x: 'generation', y: 'value', stroke: 'arm' } as const;
          return [
            Plot.line(own(thin), {
              ...place,
              strokeWidth: 0.8,
              strokeOpacity: 0.8,
              strokeDasharray: dashOf(index),
            }),
            Plot.line(own(points), { ...place, strokeWidth: 2, strokeDasharray: dashOf(index) }),
          ];
        }),
        ...(sparse ? [Plot.dot(points, { x: 'generation', y: 'value', fill: 'arm', r: 2.5 })] : []),
        ...(points.length === 0
          ? [Plot.text(['nothing was measured'], { frameAnchor: 'middle', fill: '#555' })]
          : []),
      ],
    },
  };
}

function legendOf(summary: Summary): LegendEntry[] {
  return armsOf(summary).map((name, index) => ({ name, colour: colourOf(index), dash: dashOf(index) }));
}

/** The engine, the seeds, and what the bands are. */
function noteOf(summary: Summary): string {
  const seeds = seedsOf(summary).length;
  return seeds === 1
    ? `Engine: ${summary.engine}. One seed: nothing is known of how other seeds would do.`
    : `Engine: ${summary.engine}, ${seeds} seeds. Lines are means over the seeds, bands their 95 % bootstrap intervals.`;
}

/** Marks the title of a simulated experiment. */
export function titled({ simulated }: { readonly simulated: boolean }, title: string): string {
  return simulated ? `${title} (simulated)` : title;
}

function seedsOf({ arms }: Summary): number[] {
  return [...new Set(arms.map(({ seed }) => seed))].sort((one, other) => one - other);
}

function generationsOf({ arms }: Summary): number {
  let last = 0;
  for (const { generations } of arms) {
    for (const { generation } of generations) last = Math.max(last, generation);
  }
  return last;
}

function whole(value: number): string {
  return Number.isInteger(value) ? String(value) : '';
}

function present<Item>(item: Item | undefined): Item[] {
  return item === undefined ? [] : [item];
}
