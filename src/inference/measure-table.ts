import type { PairMeasurement, Share } from './measure.ts';

const HEAD = [
  'pair',
  'family',
  'prompts',
  'A right',
  'B right',
  'vote right',
  'agree',
  'right when agreeing',
  'confidence',
];

/** The measurements as plain text: right answers by family, by kind and by confidence. Percentages are of prompts. */
export function formatMeasurements(measurements: readonly PairMeasurement[]): string {
  const rows = measurements.flatMap(({ id, families }) =>
    families.map(({ family, models, vote, agreeing, meanConfidence }, i) => [
      i === 0 ? id : '',
      family,
      String(vote.of),
      percent(models[0]),
      percent(models[1]),
      percent(vote),
      percent({ right: agreeing.of, of: vote.of }),
      percent(agreeing),
      meanConfidence.toFixed(2),
    ]),
  );
  const kinds = measurements.flatMap(({ id, families }) =>
    families.map(
      ({ family, byKind }) =>
        `${id}, ${family}: ${Object.entries(byKind)
          .map(([kind, share]) => `${kind} ${percent(share)} of ${share.of}`)
          .join(', ')}`,
    ),
  );
  const confidence = measurements.map(({ id, byConfidence, medianMs }) => [
    id,
    ...byConfidence.map((bucket) => (bucket.of === 0 ? '–' : `${percent(bucket)} of ${bucket.of}`)),
    medianMs.toFixed(1),
  ]);
  const bounds = measurements[0]?.byConfidence.map(({ from, to }) => `${from}–${to}`) ?? [];
  return [
    'Right on held-out prompts',
    table([HEAD, ...rows], 2),
    'Right by kind (vote)',
    ...kinds,
    '',
    'Right by confidence of the vote, where it gave an answer',
    table([['pair', ...bounds, 'median ms'], ...confidence], 1),
  ].join('\n');
}

function percent({ right, of }: Share): string {
  return of === 0 ? '–' : `${((100 * right) / of).toFixed(1)} %`;
}

/** Aligns the first `texts` columns left, and the numbers after them right. */
function table(rows: readonly (readonly string[])[], texts: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column < texts ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
