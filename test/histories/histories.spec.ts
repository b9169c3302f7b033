import { hash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/events/envelope.ts';
import { PROJECTIONS } from '../../src/projections/index.ts';
import { foldTo } from '../../src/replay/fold.ts';
import { historyLine, readHistoryFile } from '../../src/replay/history-file.ts';
import type { MemoryModel } from '../../src/replay/memory-model.ts';
import { fileSource } from '../../src/replay/source.ts';
import { verifyHistory } from '../../src/replay/verify.ts';
import { recordedHistory } from './histories.ts';
import { recordHistory } from './record.ts';

/**
 * Every release leaves a recorded history here, and all later ones must replay it to the same rows. `<name>.json` beside
 * it says what they are: per projection the number of rows, the SHA-256 of all of them, and the first two to be read.
 *
 * A projection whose rows changed on purpose has a new version, and then new rows here: run the specs with
 * UPDATE_HISTORIES=1, and read the difference. A history itself is never changed; a release leaves its own by
 * RECORD_HISTORY=<version>-schema-<n> UPDATE_HISTORIES=1.
 */
if (process.env.RECORD_HISTORY) await recordHistory(process.env.RECORD_HISTORY);
const NAMES = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.jsonl.gz'))
  .map((file) => file.slice(0, -'.jsonl.gz'.length));

const EXCERPT_ROWS = 2;
/** Longer rows are held by their sum alone. */
const EXCERPT_CHARACTERS = 1_500;

interface Expected {
  readonly version: number;
  readonly rows: number;
  readonly sha256: string;
  readonly excerpt: Readonly<Record<string, unknown>>;
}

function expectedOf(model: MemoryModel): Readonly<Record<string, Expected>> {
  return Object.fromEntries(
    PROJECTIONS.map((projection) => {
      const { name, version } = projection;
      const rows = [...model.rows(projection)].sort(([one], [other]) => (one < other ? -1 : 1));
      const excerpt = rows
        .filter(([, row]) => JSON.stringify(row).length <= EXCERPT_CHARACTERS)
        .slice(0, EXCERPT_ROWS);
      const sha256 = hash('sha256', canonicalJson(rows));
      return [name, { version, rows: rows.length, sha256, excerpt: Object.fromEntries(excerpt) }];
    }),
  );
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dellm-histories-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('recorded histories', () => {
  it('are there: that of each schema version', () => {
    expect(NAMES).toEqual(expect.arrayContaining(['0.1.0-schema-1', '0.1.0-schema-2']));
  });

  describe.each(NAMES)('%s', (name) => {
    let path: string;
    beforeAll(async () => {
      path = join(folder, `${name}.jsonl`);
      await writeFile(path, await recordedHistory(name));
    });

    it('replays to the same rows', async () => {
      const source = fileSource(path);
      const { model } = await foldTo({
        source,
        moment: { kind: 'end' },
        projections: PROJECTIONS,
        cache: null,
      });
      const file = join(import.meta.dirname, `${name}.json`);
      const folded = expectedOf(model);
      if (process.env.UPDATE_HISTORIES) writeFileSync(file, `${JSON.stringify(folded, null, 2)}\n`);
      expect(folded).toEqual(JSON.parse(readFileSync(file, 'utf8')));
    });

    it('is whole: ids, chains, causes', async () => {
      const found = await verifyHistory({ source: fileSource(path), projections: PROJECTIONS, live: null });
      expect(found).toMatchObject({ ok: true, faults: [], stopped: null });
    });

    it('is written again byte for byte', async () => {
      let written = '';
      for await (const event of readHistoryFile(path)) written += historyLine(event);
      expect(written).toBe(readFileSync(path, 'utf8'));
    });
  });
});
