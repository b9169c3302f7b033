import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { StoredEvent } from '../../src/eventstore/port.ts';
import { openStoreFile } from '../../src/eventstore/server/file.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { SPECIES } from '../../src/inference/species.ts';
import { type HistoryEvent, historyLine } from '../../src/replay/history-file.ts';
import { LocalNetwork } from '../support/local-network.ts';
import { multiplication } from './questions.ts';

/** Questions whose events are repeated, under other ids, until the history is long enough. */
const RECORDED_QUERIES = 150;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * A history as the network records it, of any length: its first generation and many queries, one after another. The ids
 * differ from query to query and revisions have no gaps; the hash chains are invalid, but nothing checks them here.
 */
export async function* longHistory(size: number): AsyncGenerator<HistoryEvent> {
  const recorded = await record();
  const firstQuery = recorded.findIndex(({ type }) => type === 'CreditsReserved');
  const revisions = new Map<string, number>();
  const placed = (event: HistoryEvent): HistoryEvent => {
    const revision = (revisions.get(event.stream) ?? -1) + 1;
    revisions.set(event.stream, revision);
    return { ...event, revision };
  };
  let given = 0;
  for (const event of recorded.slice(0, firstQuery)) {
    if (given >= size) return;
    given += 1;
    yield placed(event);
  }
  const lines = recorded.slice(firstQuery).map(historyLine);
  for (let round = 0; ; round += 1) {
    const mark = round.toString(16).padStart(6, '0');
    for (const line of lines) {
      if (given >= size) return;
      given += 1;
      const renamed = line
        .replaceAll(UUID, (id) => id.slice(0, -6) + mark)
        .replaceAll(/("queryId":"|"correlationId":"|query-)q(\d+)/g, `$1q${mark}-$2`);
      yield placed(JSON.parse(renamed));
    }
  }
}

/** Writes `history.jsonl` and the file of an embedded store of it, without its server. Gives what it weighs, in bytes. */
export async function writeHistory(size: number, jsonl: string, sqlite: string): Promise<number> {
  const text = createWriteStream(jsonl);
  const { database, close } = openStoreFile(sqlite);
  const insert = database.prepare('insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  let position = 0;
  let bytes = 0;
  let count = 0;
  database.exec('begin');
  for await (const event of longHistory(size)) {
    const line = historyLine(event);
    bytes += line.length;
    if (!text.write(line)) await once(text, 'drain');
    const { stream, revision, id, type, data, metadata } = event;
    const body = Buffer.from(JSON.stringify(data));
    const meta = Buffer.from(JSON.stringify(metadata));
    position += 64 + stream.length + body.length + meta.length;
    insert.run(position, stream, revision, id, type, 'application/json', Date.now(), body, meta);
    count += 1;
    if (count % 50_000 === 0) database.exec('commit; begin');
  }
  database.exec('commit');
  close();
  text.end();
  await once(text, 'close');
  return bytes;
}

async function record(): Promise<readonly StoredEvent[]> {
  const table = Array.from({ length: RECORDED_QUERIES }, (_, index) => multiplication(index));
  const network = new LocalNetwork(
    createInstantEngine({
      answers: new Map(table.map(({ question, answer }) => [question, answer])),
      errorRates: new Map(
        SPECIES.flatMap(({ miniature }) => miniature.pair.map((model) => [model, 0.1] as const)),
      ),
      seed: 1,
    }),
  );
  await network.begin();
  for (const { question } of table) await network.ask(question);
  await network.quiet();
  const events = await network.events();
  await network.close();
  return events.filter(({ stream }) => !stream.startsWith('snapshot-'));
}
