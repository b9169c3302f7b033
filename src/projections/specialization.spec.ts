import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniforms } from '../../test/support/draws.ts';
import { emergentSpecialization } from './specialization.ts';

type Table = ReadonlyMap<string, Readonly<Record<string, number>>>;
const table = (rows: readonly (readonly number[])[]): Table =>
  new Map(
    rows.map((row, index) => [
      `l${index}`,
      Object.fromEntries(row.map((count, type) => [`t${type}`, count])),
    ]),
  );

const tables = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(fc.nat(30), { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

describe('emergent specialization', () => {
  it('is 1 if each lineage has a different task type', () => {
    const { mutualInformation, normalised } = emergentSpecialization(
      table([
        [9, 0, 0, 0],
        [0, 9, 0, 0],
        [0, 0, 9, 0],
        [0, 0, 0, 9],
      ]),
    );
    expect(mutualInformation).toBeCloseTo(2, 12);
    expect(normalised).toBeCloseTo(1, 12);
  });

  it('is also 1 if each of two lineages has two of four task types', () => {
    const rows = [
      [5, 5, 0, 0],
      [0, 0, 5, 5],
    ];
    expect(emergentSpecialization(table(rows)).mutualInformation).toBeCloseTo(1, 12);
    expect(emergentSpecialization(table(rows)).normalised).toBeCloseTo(1, 12);
  });

  it('is 0 if every lineage does the same', () => {
    const { mutualInformation, normalised } = emergentSpecialization(
      table([
        [10, 30, 60],
        [1, 3, 6],
      ]),
    );
    expect(mutualInformation).toBeCloseTo(0, 12);
    expect(normalised).toBeCloseTo(0, 12);
  });

  it('is what the definition gives: two lineages, three quarters right apart', () => {
    const { mutualInformation } = emergentSpecialization(
      table([
        [3, 1],
        [1, 3],
      ]),
    );
    expect(mutualInformation).toBeCloseTo(1 + 0.75 * Math.log2(0.75) + 0.25 * Math.log2(0.25), 12);
  });

  it('is 0 for one lineage, one task type or no answers', () => {
    const nothing = { mutualInformation: 0, normalised: 0, expectedByChance: 0 };
    expect(emergentSpecialization(new Map())).toEqual(nothing);
    expect(emergentSpecialization(table([[0, 0]]))).toEqual(nothing);
    expect(emergentSpecialization(table([[5, 7]]))).toEqual(nothing);
    expect(emergentSpecialization(table([[5], [7]]))).toEqual(nothing);
  });

  it('is on average no more than chance if answers are independent of lineage', () => {
    const random = uniforms(11);
    const samples = Array.from({ length: 400 }, () => {
      const rows = Array.from({ length: 5 }, () => [0, 0, 0, 0]);
      for (let answer = 0; answer < 400; answer += 1) {
        const row = rows[Math.floor(random() * 5)] ?? [];
        const type = Math.floor(random() * 4);
        row[type] = (row[type] ?? 0) + 1;
      }
      return emergentSpecialization(table(rows));
    });
    const mean = (of: (one: (typeof samples)[number]) => number) =>
      samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
    const chance = mean((one) => one.expectedByChance);
    expect(chance).toBeCloseTo(12 / (800 * Math.LN2), 12);
    expect(mean((one) => one.mutualInformation) / chance).toBeGreaterThan(0.9);
    expect(mean((one) => one.mutualInformation) / chance).toBeLessThan(1.1);
  });

  it('stays within its limits, and does not depend on names, order, or exchange of lineages and types', () => {
    fc.assert(
      fc.property(tables, (rows) => {
        const found = emergentSpecialization(table(rows));
        expect(found.mutualInformation).toBeGreaterThanOrEqual(0);
        expect(found.normalised).toBeGreaterThanOrEqual(0);
        expect(found.normalised).toBeLessThanOrEqual(1);
        const turned = (rows[0] ?? []).map((_, type) => rows.map((row) => row[type] ?? 0));
        for (const other of [table(rows.toReversed()), table(turned)]) {
          const again = emergentSpecialization(other);
          expect(again.mutualInformation).toBeCloseTo(found.mutualInformation, 9);
          expect(again.expectedByChance).toBeCloseTo(found.expectedByChance, 9);
        }
      }),
    );
  });
});
