import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = import.meta.dirname;
const PAGE = join(SOURCE, '../docs/architecture.md');

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly path: string;
}

/** What each room may import besides itself, as the page says. */
function roomsOfPage(): ReadonlyMap<string, readonly string[]> {
  const rooms = readFileSync(PAGE, 'utf8').split('\n## Rooms\n')[1] ?? '';
  const rows = [...rooms.matchAll(/^\| `([a-z]+)` \|[^|]*\| ([^|]*) \|$/gm)];
  return new Map(
    rows.map(([, room = '', allowed = '']) => [
      room,
      Array.from(allowed.matchAll(/`([a-z]+)`/g), (match) => match[1] ?? ''),
    ]),
  );
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const paths = [...text.matchAll(/\b(?:from\s+|import\(\s*)'(\.[^']+)'/g)];
  return paths.map((match) => {
    const path = join(file, '..', match[1] ?? '');
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
  .filter((name) => name.includes('/') && name.endsWith('.ts') && !name.endsWith('.spec.ts'))
  .map((name) => join(SOURCE, name));
const rooms = roomsOfPage();
const imports = files.flatMap(importsOf).filter(({ from, to }) => from !== to && to !== '..');

describe('docs/architecture.md', () => {
  it('lists every room, and no other', () => {
    expect([...rooms.keys()].sort()).toEqual([...new Set(files.map(roomOf))].sort());
  });

  it('says what each room may import, and no room imports anything else', () => {
    const wrong = imports.filter(({ from, to }) => !rooms.get(from)?.includes(to));
    expect(wrong.map(({ file, path }) => `${file} imports ${path}`)).toEqual([]);
  });

  it('allows nothing that nobody needs', () => {
    const needed = new Set(imports.map(({ from, to }) => `${from} → ${to}`));
    const allowed = [...rooms].flatMap(([from, all]) => all.map((to) => `${from} → ${to}`));
    expect(allowed.filter((pair) => !needed.has(pair))).toEqual([]);
  });

  it('lets imports run one way', () => {
    const reached = (from: string, seen: ReadonlySet<string> = new Set()): readonly string[] =>
      (rooms.get(from) ?? []).flatMap((to) =>
        seen.has(to) ? [to] : [to, ...reached(to, new Set([...seen, to]))],
      );
    expect([...rooms.keys()].filter((room) => reached(room).includes(room))).toEqual([]);
  });

  it('links to files that exist', () => {
    const links = [...readFileSync(PAGE, 'utf8').matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(30);
    const missing = links.filter((link) => !existsSync(join(PAGE, '..', link)));
    expect(missing).toEqual([]);
  });
});

describe('the pure rooms', () => {
  it('do no I/O', () => {
    const forbidden =
      /\bfrom '(node:(?!crypto|module)[^']+|nats|@nats-io\/[^']+|@eventstore\/[^']+|libsql|node-llama-cpp)'/;
    const pure = ['events', 'answers', 'evolution', 'verification', 'actors', 'sagas'];
    const wrong = files
      .filter((file) => pure.includes(roomOf(file)))
      .filter((file) => forbidden.test(readFileSync(file, 'utf8')));
    expect(wrong.map((file) => relative(SOURCE, file))).toEqual([]);
  });
});

describe('the command line', () => {
  /** The packages that a file and all that it imports load at once: types and `import()` do not count. */
  function packagesLoadedBy(file: string, seen: Set<string> = new Set()): string[] {
    if (seen.has(file)) return [];
    seen.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (?!type )(?:[^;]*? from )?'([^']+)';$/gm,
    );
    return Array.from(imports, (match) => match[1] ?? '').flatMap((to) => {
      if (to.startsWith('.')) return packagesLoadedBy(join(file, '..', to), seen);
      return to.startsWith('node:') ? [] : [to];
    });
  }

  it('loads no package but its parser before it knows the command, because loading them takes half a second', () => {
    expect([...new Set(packagesLoadedBy(join(SOURCE, 'cli/main.ts')))]).toEqual(['commander']);
  });
});
