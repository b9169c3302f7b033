import { describe, expect, it } from 'vitest';
import { ConfigError, parseExperiment } from './config.ts';

function faults(input: unknown): readonly string[] {
  try {
    parseExperiment(input);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1);
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the parameters of an experiment', () => {
  it('have defaults for everything', () => {
    expect(parseExperiment({})).toMatchObject({
      engine: 'miniature',
      nodes: 50,
      generations: 40,
      seeds: [1],
      tasksPerNode: 10,
      clusterSize: 10,
      seedVariants: 4,
      tiers: ['mid'],
    });
    expect(parseExperiment({}).arms.map(({ name }) => name)).toEqual([
      'evolution',
      'random-search',
      'best-of-n',
      'static',
    ]);
  });

  it('say the same as options of a command line and as a file', () => {
    const options = { nodes: '20', seed: '7', arms: 'evolution, static', tiers: 'low,high', heldOut: '0' };
    const file = { nodes: 20, seed: 7, arms: ['evolution', 'static'], tiers: ['low', 'high'], heldOut: 0 };
    expect(parseExperiment(options)).toEqual(parseExperiment(file));
  });

  it.each([
    [7, [7]],
    ['-3', [-3]],
    ['1,5,9', [1, 5, 9]],
    ['1-4', [1, 2, 3, 4]],
    ['1-2,9', [1, 2, 9]],
    [
      [4, '6-7'],
      [4, 6, 7],
    ],
  ])('take %j as seeds', (seed, seeds) => {
    expect(parseExperiment({ seed }).seeds).toEqual(seeds);
  });

  it('make arms of ablations, known ones by name and others by what they change', () => {
    const { arms } = parseExperiment({
      arms: 'evolution,no-crossover,no-model-mutation',
      ablations: { gentle: { cullShare: 0.1, mutations: ['parameters'] } },
    });
    expect(arms).toEqual([
      { name: 'evolution', strategy: 'evolution', overrides: {} },
      { name: 'no-crossover', strategy: 'evolution', overrides: { crossover: false } },
      {
        name: 'no-model-mutation',
        strategy: 'evolution',
        overrides: { mutations: ['specialization', 'parameters', 'prompt'] },
      },
      {
        name: 'gentle',
        strategy: 'evolution',
        overrides: { cullShare: 0.1, mutations: ['parameters'] },
      },
    ]);
  });
});

describe('an impossible experiment', () => {
  it.each([
    [{ seed: 'seven' }, '- seed: "seven" is not a whole number, a list of numbers, or a range such as 1-10'],
    [{ seed: 1.5 }, '- seed: 1.5 is not a whole number, a list of numbers, or a range such as 1-10'],
    [{ seed: '9-1' }, '- seed: "9-1" is not a range of 1 to 1000 seeds'],
    [{ seed: [1, 1] }, '- seed: a seed is listed twice'],
    [{ seed: [] }, '- seed: give 1 to 1000 seeds'],
    [{ nodes: 3 }, '- nodes: 3 is not from 5 to 10000'],
    [{ nodes: 'many' }, '- nodes: "many" is not a whole number'],
    [{ nodes: '1e3' }, '- nodes: "1e3" is not a whole number'],
    [{ generations: 0 }, '- generations: 0 is not from 1 to 10000'],
    [{ clusterSize: 51 }, '- clusterSize: 51 is not from 5 to 50'],
    [{ engine: 'gpt' }, '- engine: "gpt" is not one of miniature, simulated, recorded'],
    [{ engine: 'recorded' }, '- recordings: the recorded engine needs the file of answers'],
    [{ recordings: 'a.jsonl' }, '- recordings: the miniature engine does not use a file of answers'],
    [{ arms: 'evolution,evolution' }, '- arms: an arm is listed twice'],
    [{ tiers: 'huge' }, '- tiers.0: "huge" is not one of ultra-low, low, mid, high'],
    [{ ablations: { nothing: {} } }, '- ablations.nothing: it changes nothing'],
    [{ ablations: { static: { crossover: false } } }, '- ablations.static: an arm already has this name'],
    [
      { evolution: { variants: [3, 2] } },
      '- evolution.variants: the least number of variants is above the most',
    ],
    [
      { ablations: { narrow: { variants: [3, 2] } } },
      '- ablations.narrow.variants: the least number of variants is above the most',
    ],
    [{ evolution: { speed: 1 } }, '- evolution.speed: no such parameter'],
    [
      { evolution: { minTasks: 500 } },
      '- evolution.minTasks: no Node gets this many tasks in this experiment',
    ],
    [
      { ablations: { patient: { minTasks: 500 } } },
      '- ablations.patient.minTasks: no Node gets this many tasks in this experiment',
    ],
  ])('is refused: %j', (input, line) => {
    expect(faults(input)).toEqual([line]);
  });

  it('is refused with all its faults at once', () => {
    expect(faults({ nodes: 3, arms: ['evolution', 'revolution'], node: 7 })).toEqual([
      '- nodes: 3 is not from 5 to 10000',
      expect.stringMatching(/^- arms\.1: "revolution" is not one of evolution, random-search, .*no-modes/),
      expect.stringMatching(/^- node: no such parameter; the parameters are engine, /),
    ]);
  });

  it('is refused when it is no object at all', () => {
    expect(faults('nodes=3')[0]).toMatch(/^- the parameters: .*expected object/);
  });
});
