import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '..');

/** What each room may import besides itself. Ports are types and errors: `eventstore/port.ts` and `inference/port.ts`. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  events: [],
  answers: ['events'],
  evolution: ['events', 'answers'],
  verification: ['answers'],
  actors: ['events', 'answers', 'evolution', 'verification'],
  sagas: ['events', 'answers', 'evolution', 'actors', 'verification'],
  projections: ['events', 'evolution', 'actors', 'sagas', 'eventstore'],
  replay: ['events', 'evolution', 'actors', 'sagas', 'projections', 'eventstore'],
  eventstore: ['events'],
  messaging: ['events', 'eventstore'],
  inference: [],
  host: ['events', 'actors', 'eventstore', 'messaging', 'inference'],
};
/** These stand at the end: they wire everything, and nobody imports them. */
const EDGES = ['gateway', 'cli', 'experiments', 'agent', 'network'];

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly path: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const paths = [...text.matchAll(/\bfrom\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'/g)];
  return paths.map((match) => {
    const path = join(file, '..', match[1] ?? match[2] ?? '');
    return {
      file: relative(SOURCE, file),
      from: roomOf(file),
      to: roomOf(path),
      path: relative(SOURCE, path),
    };
  });
}

function roomOf(path: string): string {
  return relative(SOURCE, path).split('/')[0] ?? '';
}

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
  .map((name) => join(SOURCE, name));
const imports = files.flatMap(importsOf).filter(({ from, to }) => from !== to);

describe('imports run one way', () => {
  it('from the edges over the wiring to the pure core, never back', () => {
    const wrong = imports.filter(
      ({ from, to }) => !EDGES.includes(from) && to in ALLOWED && !ALLOWED[from]?.includes(to),
    );
    expect(wrong.map(({ file, path }) => `${file} imports ${path}`)).toEqual([]);
  });

  it('and nothing imports an edge', () => {
    const wrong = imports.filter(({ from, to }) => !EDGES.includes(from) && EDGES.includes(to));
    expect(wrong.map(({ file, path }) => `${file} imports ${path}`)).toEqual([]);
  });

  it('and the pure core does no I/O', () => {
    const forbidden =
      /\bfrom '(node:(?!crypto|module)[^']+|nats|@nats-io\/[^']+|@eventstore\/[^']+|libsql|node-llama-cpp)'/;
    const wrong = files
      .filter((file) => ['events', 'answers', 'evolution', 'actors', 'sagas'].includes(roomOf(file)))
      .filter((file) => forbidden.test(readFileSync(file, 'utf8')))
      .map((file) => relative(SOURCE, file));
    expect(wrong).toEqual([]);
  });

  it('in every room that there is', () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => !(room in ALLOWED) && !EDGES.includes(room))).toEqual([]);
  });
});
