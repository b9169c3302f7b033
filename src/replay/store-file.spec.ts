import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStoreFile, type StoreFile } from '../eventstore/server/file.ts';
import { Storage } from '../eventstore/server/storage.ts';
import type { PlacedEvent } from './history-file.ts';
import type { HistorySource } from './source.ts';
import { openReadOnly, storeFileSource } from './store-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dellm store#file-'));
  file = join(folder, 'history.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function append(storage: Storage, stream: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    type: 'Happened',
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify({ index, text: 'ä' })),
    metadata: Buffer.from('{"schemaVersion":1}'),
  }));
  await storage.append(stream, 'any', events);
}

async function all(source: HistorySource): Promise<PlacedEvent[]> {
  const events: PlacedEvent[] = [];
  for await (const batch of source.batches()) events.push(...batch.events);
  return events;
}

/** Size and bytes of the file itself. */
function contents(): string {
  return `${statSync(file).mtimeMs} ${readFileSync(file).toString('base64')}`;
}

async function begun(): Promise<{ open: StoreFile; storage: Storage }> {
  const open = openStoreFile(file);
  const storage = new Storage(open.database);
  await append(storage, 'node-a', 3);
  await append(storage, 'snapshot-a', 1);
  await append(storage, 'node-b', 2);
  return { open, storage };
}

describe("the store's file, read directly", () => {
  it('gives the events of the network in their order, while the server runs', async () => {
    const { open, storage } = await begun();
    const source = storeFileSource(file);
    const events = await all(source);
    expect(events.map(({ stream, revision, data }) => [stream, revision, data])).toEqual([
      ['node-a', 0, { index: 0, text: 'ä' }],
      ['node-a', 1, { index: 1, text: 'ä' }],
      ['node-a', 2, { index: 2, text: 'ä' }],
      ['node-b', 0, { index: 0, text: 'ä' }],
      ['node-b', 1, { index: 1, text: 'ä' }],
    ]);
    await append(storage, 'node-a', 1);
    expect(await all(source)).toHaveLength(6);
    await source.close();
    open.close();
  });

  it('does not hinder the server, nor change the file', async () => {
    const { open, storage } = await begun();
    const source = storeFileSource(file);
    const reading = source.batches()[Symbol.asyncIterator]();
    await reading.next();
    await append(storage, 'node-a', 100);
    await source.close();
    open.close();
    const before = contents();
    const again = storeFileSource(file);
    expect(await all(again)).toHaveLength(105);
    await again.close();
    expect(contents()).toBe(before);
  });

  it('is read with what a killed server has left in its log, which stays there', async () => {
    const { open } = await begun();
    // The state of the files as a SIGKILL leaves it.
    const copy = join(folder, 'killed.sqlite');
    for (const suffix of ['', '-wal']) writeFileSync(copy + suffix, readFileSync(file + suffix));
    open.close();
    const before = [readFileSync(copy), readFileSync(`${copy}-wal`)];
    const source = storeFileSource(copy);
    expect(await all(source)).toHaveLength(5);
    await source.close();
    expect([readFileSync(copy), readFileSync(`${copy}-wal`)]).toEqual(before);
  });

  it('cannot be written through its connection', async () => {
    (await begun()).open.close();
    const database = openReadOnly(file);
    expect(() => database.exec('delete from events')).toThrow(/readonly/);
    database.close();
  });

  it('reads on after a place, finds events there, and those of a stream', async () => {
    const { open } = await begun();
    const source = storeFileSource(file);
    const events = await all(source);
    const third = events[2] as PlacedEvent;
    const rest: PlacedEvent[] = [];
    for await (const batch of source.batches({ position: third.position, offset: 0 }))
      rest.push(...batch.events);
    expect(rest).toEqual(events.slice(3));
    expect(await source.holds(third, { position: third.position, offset: 0 })).toBe(true);
    expect(await source.holds({ ...third, id: randomUUID() }, { position: third.position, offset: 0 })).toBe(
      false,
    );
    expect(await source.holds(third, { position: third.position + 1, offset: 0 })).toBe(false);
    const selected: PlacedEvent[] = [];
    for await (const event of source.select(new Set(['node-b']))) selected.push(event);
    expect(selected).toEqual(events.slice(3));
    await source.close();
    open.close();
  });

  it('names an event whose data were damaged, after those before it', async () => {
    (await begun()).open.close();
    const database = new Database(file);
    database.exec("update events set data = x'7b' where stream = 'node-a' and revision = 1");
    database.close();
    const source = storeFileSource(file);
    const read: PlacedEvent[] = [];
    const reading = (async () => {
      for await (const { events } of source.batches()) read.push(...events);
    })();
    await expect(reading).rejects.toThrow(
      /Revision 1 of node-a \(position \d+ of .*\) is damaged: its data is not a JSON/,
    );
    expect(read).toHaveLength(1);
    await source.close();
  });

  it('that is not there, or something else, is refused and not made', () => {
    expect(() => storeFileSource(file)).toThrow(/There is no readable event store at/);
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, 'x'.repeat(200));
    expect(() => storeFileSource(file)).toThrow(/is not an event store of DELLM/);
    const foreign = join(folder, 'foreign.sqlite');
    const database = new Database(foreign);
    database.exec('create table t (a)');
    database.close();
    expect(() => storeFileSource(foreign)).toThrow(/is not an event store of DELLM/);
  });

  it('is read where nothing can be written beside it', async (context) => {
    (await begun()).open.close();
    for (const name of readdirSync(folder)) if (/-(wal|shm|lock)$/.test(name)) rmSync(join(folder, name));
    chmodSync(file, 0o444);
    chmodSync(folder, 0o555);
    try {
      if (process.getuid?.() === 0) context.skip('the superuser can write everywhere');
      const source = storeFileSource(file);
      expect(await all(source)).toHaveLength(5);
      await source.close();
    } finally {
      chmodSync(folder, 0o755);
    }
  });
});
