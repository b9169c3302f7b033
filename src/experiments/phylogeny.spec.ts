import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { parse as parseNewick } from 'newick-js';
import { describe, expect, it } from 'vitest';
import { life, minutes } from '../../test/support/lives.ts';
import type { LineageRow } from '../projections/lineage.ts';
import { newick, phylogenyCsv } from './phylogeny.ts';

/** Lives of any shape: each has up to two parents among those before it. */
const genealogy = fc
  .array(
    fc.record({
      parents: fc.array(fc.nat(), { maxLength: 2 }),
      later: fc.nat(3),
      name: fc.stringMatching(/^[A-Za-z0-9_-]{0,8}$/),
      prompt: fc.string({ unit: 'grapheme', maxLength: 20 }),
      lived: fc.option(fc.nat(100)),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((drawn) => {
    const lives: LineageRow[] = [];
    for (const [index, { parents, later, name, prompt, lived }] of drawn.entries()) {
      const found = parents.flatMap((at) => lives[at % Math.max(1, index)] ?? []);
      lives.push(
        life(`${name}_${index}`, {
          parents: found.map(({ node }) => node),
          generation: Math.max(0, ...found.map(({ generation }) => generation)) + later,
          bornPosition: index,
          endedAt: lived === null ? null : minutes(index + lived),
          genome: {
            ...life('').genome,
            promptTemplates: { system: prompt, user: `{question}"\n,${prompt}` },
          },
        }),
      );
    }
    return lives;
  });

type Row = Record<string, string | undefined>;

function rowsOf(lives: readonly LineageRow[]): Row[] {
  return parseCsv<Row>(phylogenyCsv(lives), { columns: true, record_delimiter: '\n', trim: false });
}

/** Ids of an `ancestor_list`, by the standard's form. */
function ancestorsOf({ ancestor_list }: Row): number[] {
  const list = ancestor_list ?? '';
  expect(list).toMatch(/^\[(none|\d+(,\d+)*)\]$/);
  return list === '[none]' ? [] : list.slice(1, -1).split(',').map(Number);
}

describe('phylogeny.csv, read back by another parser', () => {
  it('keeps the rules of the ALife phylogeny standard', () => {
    fc.assert(
      fc.property(genealogy, (lives) => {
        const rows = rowsOf(lives);
        const ids = rows.map(({ id }) => id ?? '');
        expect(ids.every((id) => /^\d+$/.test(id))).toBe(true);
        expect(new Set(ids).size).toBe(lives.length);
        for (const row of rows) {
          for (const ancestor of ancestorsOf(row)) {
            expect(ids).toContain(String(ancestor));
            expect(ancestor).toBeLessThan(Number(row.id));
          }
          expect(Number.isFinite(Number(row.origin_time))).toBe(true);
          if (row.destruction_time !== 'none') {
            expect(Number(row.destruction_time)).toBeGreaterThanOrEqual(Number(row.origin_time));
          }
        }
      }),
    );
  });

  it('has every life with all its parents, and its texts as they were', () => {
    fc.assert(
      fc.property(genealogy, (lives) => {
        const rows = rowsOf(lives);
        expect(rows.map(({ node_id }) => node_id)).toEqual(lives.map(({ node }) => node));
        for (const [index, row] of rows.entries()) {
          const { parents, genome, endedAt } = lives[index] ?? life('missing');
          expect(ancestorsOf(row).map((id) => rows[id]?.node_id)).toEqual([...new Set(parents)]);
          expect(row.trait_prompt_system).toBe(genome.promptTemplates.system);
          expect(row.trait_prompt_user).toBe(genome.promptTemplates.user);
          expect(row.destruction_time === 'none').toBe(endedAt === null);
        }
      }),
    );
  });

  it('counts seconds from the first birth', () => {
    const rows = rowsOf([
      life('a', { bornPosition: 0, endedAt: minutes(3) }),
      life('b', { bornPosition: 1, parents: ['a'], generation: 1 }),
    ]);
    expect(rows).toMatchObject([
      { id: '0', ancestor_list: '[none]', origin_time: '0', destruction_time: '180', node_id: 'a' },
      { id: '1', ancestor_list: '[0]', origin_time: '60', destruction_time: 'none', node_id: 'b' },
    ]);
  });

  it('is a header alone where nobody lived', () => {
    expect(phylogenyCsv([]).trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('the Newick tree, read back by another parser', () => {
  it('hangs each life on its first parent, as many generations below', () => {
    fc.assert(
      fc.property(genealogy, (lives) => {
        const { graph, root } = parseNewick(newick(lives).trimEnd());
        const [vertices, arcs] = graph;
        const byNode = new Map(lives.map((one) => [one.node, one]));
        const founders = lives.filter(({ parents }) => parents.length === 0);
        const named = [...vertices].flatMap(({ label }) => label ?? []);
        expect(new Set(named)).toEqual(new Set(byNode.keys()));
        expect(named).toHaveLength(lives.length);
        expect(vertices.size).toBe(lives.length + (founders.length > 1 ? 1 : 0));
        expect(root.label).toBe(founders.length > 1 ? undefined : founders[0]?.node);
        for (const [from, to, length] of arcs) {
          const child = byNode.get(to.label ?? '') ?? life('missing');
          expect(child.parents[0]).toBe(from.label);
          expect(length).toBe(child.generation - (byNode.get(from.label ?? '')?.generation ?? 0));
        }
        expect(arcs.size).toBe(vertices.size - 1);
      }),
    );
  });

  it('says that it follows the first parent of a crossover only', () => {
    const text = newick([
      life('a'),
      life('b'),
      life('c', { parents: ['b', 'a'], generation: 1, cause: 'crossover' }),
    ]);
    expect(text).toMatch(/^\('a':0,\('c':1\)'b':0\):0\[.*first parent only.*\];\n$/);
  });

  it('quotes what would end a label', () => {
    const { root } = parseNewick(newick([life("it's (one, or_two):3")]).trimEnd());
    expect(root.label).toBe("it's (one, or_two):3");
  });

  it('takes a lineage of 20,000 generations', () => {
    const lives = Array.from({ length: 20_000 }, (_, index) =>
      life(`n${index}`, { generation: index, parents: index === 0 ? [] : [`n${index - 1}`] }),
    );
    const text = newick(lives);
    expect(text.startsWith(`${'('.repeat(19_999)}'n19999':1)'n19998':1)`)).toBe(true);
  });

  it('has no tree of nobody', () => {
    expect(() => newick([])).toThrow('There is no life');
  });
});

describe('a genealogy that contradicts itself', () => {
  it.each([
    ['a parent that nobody knows', [life('a', { parents: ['ghost'] })], 'ghost, a parent of a'],
    ['a child before its parent', [life('a', { parents: ['b'] }), life('b')], 'b, a parent of a'],
    ['its own parent', [life('a', { parents: ['a'] })], 'a, a parent of a'],
    ['the same life twice', [life('a'), life('a')], 'The life of a occurs twice'],
  ])('is refused: %s', (_, lives, message) => {
    expect(() => phylogenyCsv(lives)).toThrow(message);
    expect(() => newick(lives)).toThrow(message);
  });
});
