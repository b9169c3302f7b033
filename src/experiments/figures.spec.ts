import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { life, minutes, population } from '../../test/support/lives.ts';
import { FOUR_ARMS, madeUpSummary } from '../../test/support/summaries.ts';
import { colourOf, dashOf } from './drawing.ts';
import { drawsFrom } from './draws.ts';
import { figuresOf } from './figures.ts';
import { championSeries, seriesOf } from './series.ts';
import { wilsonInterval } from './statistics.ts';
import type { Summary } from './summary.ts';

const SEEDS = [1, 2, 3];
const summary = madeUpSummary(FOUR_ARMS, SEEDS, 12);
const simulated: Summary = { ...summary, engine: 'simulated', simulated: true };
const NAMES = ['fitness.svg', 'held-out.svg', 'diversity.svg', 'specialization.svg', 'modes.svg'];

function livesOf(slots: number, generations: number): ReturnType<typeof population> {
  const draws = drawsFrom('lives', slots, generations);
  let index = 0;
  return population(slots, generations, () => draws(index++));
}

/** Every text of a figure, as a reader finds it. */
function textsOf(svg: string | undefined): string[] {
  const { document } = parseHTML(`<html><body>${svg}</body></html>`);
  return [...document.querySelectorAll('text, title')].map((text) => text.textContent ?? '');
}

describe('figures of an experiment', () => {
  const figures = figuresOf(simulated, livesOf(10, 8), 'evolution at seed 1');

  it('are six, or five where there are no lives', () => {
    expect(Object.keys(figures)).toEqual([...NAMES, 'lineage.svg']);
    expect(Object.keys(figuresOf(summary))).toEqual(NAMES);
  });

  it('are the same bytes each time', () => {
    expect(figuresOf(simulated, livesOf(10, 8), 'evolution at seed 1')).toEqual(figures);
  });

  it('say simulated in every title where the engine is, and nowhere else', () => {
    for (const svg of Object.values(figures)) {
      expect(textsOf(svg)[0]).toContain('simulated');
      expect(textsOf(svg)[1]).toContain('simulated');
    }
    for (const svg of Object.values(figuresOf(summary, livesOf(10, 8))))
      expect(svg).not.toContain('simulated');
  });

  it('stand alone: a namespace, a white ground, and nothing from outside', () => {
    for (const svg of Object.values(figures)) {
      expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
      expect(svg).toContain('fill="#ffffff"/>');
      expect(svg).toContain('sans-serif');
      expect(svg).not.toMatch(/<style|<script|<image|href=|url\(|&nbsp;|NaN|undefined|\bid="/);
    }
  });

  it('name every arm and every axis with its unit', () => {
    for (const name of ['fitness.svg', 'held-out.svg', 'diversity.svg', 'specialization.svg'] as const) {
      const texts = textsOf(figures[name]);
      for (const { arm } of FOUR_ARMS) expect(texts).toContain(arm);
      expect(texts).toContain('generation →');
    }
    expect(textsOf(figures['fitness.svg'])).toContain('↑ normalised fitness (0–1)');
    expect(textsOf(figures['held-out.svg'])).toContain('↑ share of right answers (0–1)');
    expect(textsOf(figures['specialization.svg'])).toContain('↑ mutual information (bits)');
    expect(textsOf(figures['lineage.svg'])).toContain('time since the first birth (hours of virtual time) →');
  });

  it('write names as text', () => {
    const named = madeUpSummary([{ arm: 'a', label: '<b> & "c"\u0007', from: 0.5, gain: 0.1 }], SEEDS, 4);
    const svg = figuresOf(named)['fitness.svg'];
    expect(svg).toContain('&lt;b&gt; &amp; "c"\ufffd');
  });

  it('draw nothing that was not measured', () => {
    const blind = {
      ...summary,
      arms: summary.arms.map((arm) => ({
        ...arm,
        generations: arm.generations.map((one) => ({ ...one, heldOut: null })),
      })),
    };
    expect(textsOf(figuresOf(blind)['held-out.svg'])).toContain('nothing was measured');
    const none = { ...summary, arms: summary.arms.map((arm) => ({ ...arm, generations: [] })) };
    for (const svg of Object.values(figuresOf(none))) expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('lines', () => {
  it('of 50 arms all differ, by colour or by dash', () => {
    const looks = Array.from({ length: 50 }, (_, index) => `${colourOf(index)} ${dashOf(index)}`);
    expect(new Set(looks).size).toBe(50);
  });
});

describe('a series', () => {
  it('is the mean over the seeds that have the generation, with an interval around it', () => {
    const points = seriesOf(summary, 'accuracy', ({ trainAccuracy }) => trainAccuracy);
    expect(points).toHaveLength(FOUR_ARMS.length * 13);
    for (const { arm, generation, value, interval, seeds } of points) {
      const values = summary.arms
        .filter((one) => one.arm === arm)
        .map(({ generations }) => generations[generation]?.trainAccuracy ?? Number.NaN);
      expect(seeds).toBe(3);
      expect(value).toBeCloseTo(values.reduce((sum, one) => sum + one, 0) / 3, 12);
      expect(interval?.low).toBeGreaterThanOrEqual(Math.min(...values) - 1e-12);
      expect(interval?.high).toBeLessThanOrEqual(Math.max(...values) + 1e-12);
    }
  });

  it('of one seed has no interval, but for the tasks of the best Node', () => {
    const one = madeUpSummary(FOUR_ARMS, [7], 5);
    expect(
      seriesOf(one, 'x', ({ trainAccuracy }) => trainAccuracy).every(({ interval }) => interval === null),
    ).toBe(true);
    const heldOut = one.arms[0]?.generations[0]?.heldOut;
    expect(championSeries(one)[0]?.interval).toEqual(
      wilsonInterval(heldOut?.championRight ?? 0, heldOut?.championOf ?? 0),
    );
    expect(textsOf(figuresOf(one)['held-out.svg']).join(' ')).toContain(
      'nothing is known of how other seeds',
    );
  });

  it('of a long experiment keeps its ends, and not all between', () => {
    const long = madeUpSummary(FOUR_ARMS.slice(0, 1), [1], 900);
    const generations = seriesOf(long, 'x', ({ trainAccuracy }) => trainAccuracy).map(
      ({ generation }) => generation,
    );
    expect(generations).toHaveLength(150);
    expect([generations[0], generations.at(-1)]).toEqual([0, 900]);
  });
});

describe('modes', () => {
  it('are one bar for as long as one lasts', () => {
    const [arm] = summary.arms;
    if (!arm) throw new Error('made-up summaries have arms');
    const modes = ['crisis', 'crisis', 'normal', 'normal', 'normal', 'crisis'] as const;
    const generations = modes.map((mode, generation) => ({ ...arm.generations[0], generation, mode }));
    const svg = figuresOf({ ...summary, arms: [{ ...arm, generations } as typeof arm] })['modes.svg'];
    const { document } = parseHTML(`<html><body>${svg}</body></html>`);
    expect(document.querySelectorAll('[aria-label="bar"] rect')).toHaveLength(3);
  });
});

describe('the lineage', () => {
  const marks = (svg: string | undefined, label: string): number => {
    const { document } = parseHTML(`<html><body>${svg}</body></html>`);
    return document.querySelectorAll(`[aria-label="${label}"] > *`).length;
  };
  const lineage = (lives: Parameters<typeof figuresOf>[1]): string | undefined =>
    figuresOf(summary, lives)['lineage.svg'];

  it('has a line for each life, another to each first parent, a dot for the living and a ring for two parents', () => {
    const svg = lineage([
      life('a', { endedAt: minutes(90) }),
      life('b'),
      life('c', { parents: ['a'], bornPosition: 60 }),
      life('d', { parents: ['b', 'c'], bornPosition: 80 }),
    ]);
    expect(marks(svg, 'rule')).toBe(4 + 2);
    expect(marks(svg, 'dot')).toBe(3 + 1);
    expect(textsOf(svg).join(' ')).not.toContain('lives are drawn');
  });

  it('is capped, says so, and keeps whole chains of ancestors', () => {
    const lives = livesOf(50, 200);
    const svg = lineage(lives);
    const dead = lives.filter(({ endedAt }) => endedAt !== null);
    expect(dead.length).toBeGreaterThan(600);
    expect(textsOf(svg).join(' ')).toContain(
      `600 of ${lives.length.toLocaleString('en-US')} lives are drawn`,
    );
    const { document } = parseHTML(`<html><body>${svg}</body></html>`);
    const [branches, drawn] = [...document.querySelectorAll('[aria-label="rule"]')].map(
      ({ children }) => children.length,
    );
    expect(drawn).toBe(600);
    // Only founders hang on nobody, and all of them are of the first generation.
    expect(600 - (branches ?? 0)).toBeLessThanOrEqual(50);
  });

  it('counts in a unit that fits', () => {
    const svg = lineage([life('a'), life('b', { parents: ['a'], bornPosition: 5 * 1440 })]);
    expect(textsOf(svg)).toContain('time since the first birth (days of virtual time) →');
  });

  it('names nine specializations, and the rest together', () => {
    const lives = Array.from({ length: 13 }, (_, index) =>
      life(`n${index}`, {
        genome: { ...life('').genome, specialization: `kind-${String(index % 12).padStart(2, '0')}` },
      }),
    );
    const texts = textsOf(lineage(lives));
    expect(texts.filter((text) => text.startsWith('kind-'))).toHaveLength(9);
    expect(texts).toContain('other specializations');
  });

  it('of nobody is empty', () => {
    expect(lineage([])).not.toMatch(/NaN|undefined|Infinity/);
  });
});
