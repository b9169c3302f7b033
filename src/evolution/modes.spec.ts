import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvolutionMode } from '../events/evolution.ts';
import { bandOf, nextMode, RATES } from './modes.ts';

/** The mode after each of these scores, from `normal`. */
function follow(scores: readonly number[]): EvolutionMode[] {
  let last: EvolutionMode | undefined;
  let mode: EvolutionMode = 'normal';
  return scores.map((score) => {
    const band = bandOf(score);
    mode = nextMode(mode, last, band).mode;
    last = band;
    return mode;
  });
}

describe('the band of a score', () => {
  it.each([
    [1, 'normal'],
    [0.75, 'normal'],
    [0.7499, 'increased'],
    [0.65, 'increased'],
    [0.6499, 'aggressive'],
    [0.55, 'aggressive'],
    [0.5499, 'crisis'],
    [0, 'crisis'],
  ] as const)('is for %d: %s', (score, band) => {
    expect(bandOf(score)).toBe(band);
  });
});

describe('the mode', () => {
  it('does not follow a score that flutters about a border', () => {
    const fluttering = Array.from({ length: 40 }, (_, index) => 0.75 + (index % 2 === 0 ? 0.004 : -0.004));
    expect(new Set(follow(fluttering))).toEqual(new Set(['normal']));
  });

  it('does not follow a single bad measurement', () => {
    expect(follow([0.9, 0.2, 0.9, 0.1, 0.9])).toEqual(Array(5).fill('normal'));
  });

  it('goes through all modes in a steady fall, and back', () => {
    const fall = Array.from({ length: 20 }, (_, index) => 0.9 - index * 0.025);
    const modes = follow([...fall, ...fall.toReversed()]).filter((mode, at, all) => mode !== all[at - 1]);
    expect(modes).toEqual([...EvolutionMode.options, 'aggressive', 'increased', 'normal']);
  });

  it('changes with the second measurement in a row, and says why', () => {
    expect(nextMode('normal', 'increased', 'increased')).toEqual({
      mode: 'increased',
      rule: "the network's score was in the band of increased twice in a row",
    });
    expect(nextMode('normal', 'crisis', 'crisis').mode).toBe('crisis');
    expect(nextMode('normal', undefined, 'crisis')).toEqual({ mode: 'normal', rule: null });
    expect(nextMode('crisis', undefined, 'aggressive')).toEqual({ mode: 'crisis', rule: null });
  });

  it('answers a score that wavers between two worse bands with the nearer one', () => {
    expect(nextMode('normal', 'crisis', 'aggressive')).toEqual({
      mode: 'aggressive',
      rule: "the network's score was in the band of aggressive or worse twice in a row",
    });
    expect(nextMode('crisis', 'increased', 'normal')).toEqual({
      mode: 'increased',
      rule: "the network's score was in the band of increased or better twice in a row",
    });
  });

  it('settles on the band of a steady score and then stays', () => {
    const modes = fc.constantFrom(...EvolutionMode.options);
    fc.assert(
      fc.property(modes, fc.option(modes, { nil: undefined }), modes, (mode, before, band) => {
        const once = nextMode(mode, before, band);
        const twice = nextMode(once.mode, band, band);
        expect(twice.mode).toBe(band);
        expect(nextMode(twice.mode, band, band)).toEqual({ mode: band, rule: null });
        expect(once.rule === null).toBe(once.mode === mode);
      }),
    );
  });
});

describe('the rates', () => {
  it('press harder from mode to mode', () => {
    const rates = EvolutionMode.options.map((mode) => RATES[mode]);
    for (const [index, next] of rates.slice(1).entries()) {
      const before = rates[index] ?? expect.fail('no mode before');
      expect(next.mutations[1]).toBeGreaterThan(before.mutations[1]);
      expect(next.immigration).toBeGreaterThan(before.immigration);
      expect(next.crossover + next.immigration).toBeLessThanOrEqual(1);
    }
  });
});
