import { hash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SCHEMA_VERSION } from '../events/envelope.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { MemoryModel } from './memory-model.ts';
import type { Progress } from './progress.ts';
import type { HistorySource, SourceIdentity } from './source.ts';

/**
 * Cached rows of earlier folds, so that a late moment of a long history can be shown without folding all of it again:
 * `<folder>/<history>/<position>/<projection>.json`. A file that does not fit is ignored.
 */
export interface SnapshotCache {
  readonly folder: string;
  /** Events between two snapshots. Default of `snapshotCache`: 50,000. */
  readonly every: number;
  /** Called if the cache could not be written. Nothing else is affected. */
  readonly onStatus: (message: string) => void;
}

const head = z.object({
  stamp: z.string(),
  cursor: z.object({ position: z.int(), offset: z.int() }),
  last: z.object({
    stream: z.string(),
    revision: z.int(),
    id: z.string(),
    position: z.int(),
    at: z.string(),
  }),
  events: z.int(),
  latestAt: z.string(),
});
type Head = z.infer<typeof head>;

const snapshotFile = z.object({ head, rows: z.array(z.tuple([z.string(), z.unknown()])) });

export function snapshotCache(
  folder: string,
  { every = 50_000, onStatus = () => {} }: Partial<Omit<SnapshotCache, 'folder'>> = {},
): SnapshotCache {
  return { folder, every, onStatus };
}

/** Restores the latest valid snapshot that `admits` accepts into the model. Null if there is none. */
export async function loadSnapshot(
  { folder }: SnapshotCache,
  source: HistorySource,
  model: MemoryModel,
  admits: (head: Head) => boolean,
): Promise<Progress | null> {
  const identity = await source.identity();
  for (const position of await positionsIn(join(folder, identity.history))) {
    const files = await Promise.all(
      model.projections.map((projection) => readSnapshot(fileOf(folder, identity, position, projection))),
    );
    const [first] = files;
    if (!first || first.head.stamp !== identity.stamp || !admits(first.head)) continue;
    const same = JSON.stringify(first.head);
    if (files.some((file) => file === null || JSON.stringify(file.head) !== same)) continue;
    if (!(await source.holds(first.head.last, first.head.cursor))) continue;
    for (const [index, projection] of model.projections.entries())
      model.restore(projection, files[index]?.rows ?? []);
    const { last, events, latestAt, cursor } = first.head;
    return { last, events, latestAt, cursor };
  }
  return null;
}

/** Caches the model's rows. If the cache cannot be written, the fold still continues. */
export async function saveSnapshot(
  { folder, onStatus }: SnapshotCache,
  source: HistorySource,
  model: MemoryModel,
  { last, events, latestAt, cursor }: Progress,
): Promise<void> {
  if (!last) return;
  try {
    const identity = await source.identity();
    const written: Head = { stamp: identity.stamp, cursor, last, events, latestAt };
    await mkdir(join(folder, identity.history, String(cursor.position)), { recursive: true });
    for (const projection of model.projections) {
      const body = JSON.stringify({ head: written, rows: [...model.rows(projection)] });
      const file = fileOf(folder, identity, cursor.position, projection);
      const temporary = `${file}.${randomUUID()}.tmp`;
      try {
        await writeFile(temporary, `${hash('sha256', body)}\n${body}`);
        await rename(temporary, file);
      } finally {
        await rm(temporary, { force: true });
      }
    }
  } catch (error) {
    onStatus(
      `the replay cache ${folder} could not be written: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The positions of a history's snapshots, the last one first. */
async function positionsIn(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .map(Number)
    .filter(Number.isSafeInteger)
    .sort((one, other) => other - one);
}

/** Null if there is no file, or the file is damaged. */
async function readSnapshot(file: string): Promise<z.infer<typeof snapshotFile> | null> {
  try {
    const text = await readFile(file, 'utf8');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    if (text.slice(0, end) !== hash('sha256', body)) return null;
    return snapshotFile.parse(JSON.parse(body));
  } catch {
    return null;
  }
}

/** The name contains the versions of the projection and of the event schema, so other versions have other files. */
function fileOf(
  folder: string,
  { history }: SourceIdentity,
  position: number,
  { name, version }: AnyProjection,
): string {
  return join(folder, history, String(position), `${name}-${version}-${SCHEMA_VERSION}.json`);
}
