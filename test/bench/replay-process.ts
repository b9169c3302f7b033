import { createReadStream } from 'node:fs';
import { PROJECTIONS } from '../../src/projections/index.ts';
import { recordedOf } from '../../src/projections/recorded.ts';
import { type PlacedEvent, readHistoryBatches } from '../../src/replay/history-file.ts';
import { MemoryModel } from '../../src/replay/memory-model.ts';
import { fileSource, type HistorySource } from '../../src/replay/source.ts';
import { storeFileSource } from '../../src/replay/store-file.ts';
import { timed } from './statistics.ts';

/** What one process does with a file of events, which is `history.jsonl` but for the store's. */
export type ReplayTask = 'lines' | 'parse' | 'read' | 'fold' | 'fold parsed' | 'fold store file';

export interface ReplayMeasured {
  readonly ms: number;
  readonly events: number;
}

/** Parsed events that are held in memory at once. */
const PARSED_EVENTS = 100_000;

async function measure(task: ReplayTask, path: string): Promise<ReplayMeasured> {
  let events = 0;
  const count = (): void => {
    events += 1;
  };
  const model = new MemoryModel(PROJECTIONS);
  const foldOne = (event: PlacedEvent): void => {
    model.apply(recordedOf(event));
    events += 1;
  };
  const ms = await timedTask();
  return { ms, events };

  async function timedTask(): Promise<number> {
    switch (task) {
      case 'lines':
        return timed(() => eachLine(path, count));
      case 'parse':
        return timed(() =>
          eachLine(path, (line) => {
            JSON.parse(line);
            count();
          }),
        );
      case 'read':
        return timed(() => each(fileSource(path), count));
      case 'fold':
        return timed(() => each(fileSource(path), foldOne));
      case 'fold store file':
        return timed(() => each(storeFileSource(path), foldOne));
      case 'fold parsed': {
        const parsed: PlacedEvent[] = [];
        for await (const batch of readHistoryBatches(path)) {
          parsed.push(...batch.events.slice(0, PARSED_EVENTS - parsed.length));
          if (parsed.length >= PARSED_EVENTS) break;
        }
        return timed(() => parsed.forEach(foldOne));
      }
    }
  }
}

async function each(source: HistorySource, visit: (event: PlacedEvent) => void): Promise<void> {
  for await (const { events } of source.batches()) for (const event of events) visit(event);
  await source.close();
}

/** What anybody would write. */
async function eachLine(path: string, visit: (line: string) => void): Promise<void> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1024 * 1024 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) visit(line);
  }
}

const [task = '', path = ''] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await measure(task as ReplayTask, path)));
