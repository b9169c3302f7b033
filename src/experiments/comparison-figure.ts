import * as Plot from '@observablehq/plot';
import { type Comparison, MEASURES, type MeasureComparison } from './compare.ts';
import { colourOf, drawn, type LegendEntry, type Panel } from './drawing.ts';
import { titled } from './figures.ts';

const PLOT_WIDTH = 400;
const ROW = 34;
/** Longer names are cut in the figure. The table has the whole names. */
const LONGEST_NAME = 40;
const LETTER_WIDTH = 7;

/** `comparison.svg`: one row per arm, one panel per measure, every seed as a dot. The same data give the same bytes. */
export function comparisonFigure(comparison: Comparison): string {
  const names = [...new Set(comparison.measures.flatMap(({ arms }) => arms.map(({ name }) => name)))];
  const inputs = comparison.inputs.map(({ name }) => name);
  const colours = new Map(inputs.map((name, index) => [name, colourOf(index)]));
  const legend: LegendEntry[] =
    inputs.length > 1 ? inputs.map((name, index) => ({ name, colour: colourOf(index) })) : [];
  const panels = comparison.measures.map((measure, index) =>
    panelOf(measure, names, index === 0, (input) => colours.get(input) ?? colourOf(0)),
  );
  return drawn({
    title: titled(comparison, 'Final held-out accuracy by arm'),
    notes: ['Small dots are seeds, large ones their mean with its 95 % bootstrap interval.'],
    legend,
    panels: [panels],
  });
}

function panelOf(
  { measure, arms }: MeasureComparison,
  names: readonly string[],
  labelled: boolean,
  colour: (input: string) => string,
): Panel {
  const seeds = arms.flatMap(({ name, input, values }) =>
    values.map(({ accuracy }) => ({ name, accuracy, colour: colour(input) })),
  );
  const means = arms.map(({ name, input, mean, interval }) => ({
    name,
    mean,
    low: interval?.low ?? mean,
    high: interval?.high ?? mean,
    colour: colour(input),
  }));
  const longest = Math.max(0, ...names.map((name) => shortened(name).length));
  const left = labelled ? 16 + LETTER_WIDTH * longest : 16;
  const title = MEASURES[measure];
  return {
    title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    width: PLOT_WIDTH + left,
    height: ROW * Math.max(1, names.length) + 60,
    options: {
      marginLeft: left,
      marginRight: 16,
      marginTop: 8,
      marginBottom: 46,
      x: { label: 'share of right answers (0–1) →', labelAnchor: 'center', grid: true, nice: true },
      y: {
        domain: [...names],
        label: null,
        tickSize: 0,
        tickFormat: shortened,
        ...(!labelled && { ticks: [] }),
      },
      marks: [
        Plot.dot(seeds, {
          x: 'accuracy',
          y: 'name',
          r: 2.5,
          fill: ({ colour }) => colour,
          fillOpacity: 0.35,
          dy: 9,
        }),
        Plot.ruleY(means, {
          y: 'name',
          x1: 'low',
          x2: 'high',
          stroke: ({ colour }) => colour,
          strokeWidth: 2,
        }),
        Plot.dot(means, { x: 'mean', y: 'name', r: 4.5, fill: ({ colour }) => colour }),
      ],
    },
  };
}

function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}
