import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeTinyGguf } from '../../test/support/gguf.ts';
import type { ModelEntry } from './catalogue.ts';
import { type PullOptions, pullModel } from './pull.ts';

const folder = mkdtempSync(join(tmpdir(), 'dellm-pull-'));
const models = join(folder, 'models');
const path = join(models, 'tiny.gguf');
const part = `${path}.part`;
writeTinyGguf(join(folder, 'source.gguf'));
const content = readFileSync(join(folder, 'source.gguf'));
const sha256 = createHash('sha256').update(content).digest('hex');

const entry = (over: Partial<ModelEntry> = {}): ModelEntry => ({
  id: 'tiny',
  name: 'Tiny',
  class: 'public',
  file: 'tiny.gguf',
  uri: 'hf:someone/tiny/tiny.gguf',
  url: 'https://huggingface.co/someone/tiny/resolve/main/tiny.gguf',
  bytes: content.length,
  bytesAreApproximate: false,
  sha256,
  licence: 'MIT',
  parameters: 1,
  quantisation: 'F32',
  ramBytes: 1,
  tiers: [],
  trainedOn: null,
  families: [],
  ...over,
});

let server: Server;
let behaviour: (request: IncomingMessage, response: ServerResponse) => void;
let seen: IncomingMessage['headers'][] = [];
const pull = (over: Partial<ModelEntry> = {}, options: PullOptions = {}) => {
  const { port } = server.address() as AddressInfo;
  return pullModel(entry(over), models, {
    fetchBase: `http://127.0.0.1:${port}`,
    stallMs: 10_000,
    ...options,
  });
};

/** Sends the content as a good server does; the first time only `breakAfter` bytes of it. */
function serving({ etag = '"v1"', ranges = true, body = content, breakAfter = -1 } = {}): typeof behaviour {
  let broken = breakAfter < 0;
  return ({ headers }, response) => {
    const from = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const partial = ranges && from > 0 && (headers['if-range'] ?? etag) === etag;
    if (partial && from >= body.length) {
      response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
      return;
    }
    const rest = partial ? body.subarray(from) : body;
    response.writeHead(partial ? 206 : 200, {
      etag,
      'content-length': rest.length,
      ...(partial ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
    });
    if (broken) response.end(rest);
    else response.write(rest.subarray(0, breakAfter));
    broken = true;
  };
}

/** Loses the connection as soon as something has arrived. */
const brokenOff = () => {
  behaviour = serving({ breakAfter: 10_000 });
  return pull({}, { onProgress: () => server.closeAllConnections() });
};

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request.headers);
    if (request.url === '/someone/tiny/resolve/main/tiny.gguf') behaviour(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  rmSync(models, { recursive: true, force: true });
  seen = [];
  behaviour = serving();
});

describe('pulling a model', () => {
  it('puts the file in place, tells its progress, and leaves nothing else behind', async () => {
    const progress: number[] = [];
    const pulled = await pull({}, { onProgress: ({ receivedBytes }) => progress.push(receivedBytes) });
    expect(pulled).toEqual({ path, bytes: content.length, outcome: 'downloaded', verified: 'checksum' });
    expect(readFileSync(path)).toEqual(content);
    expect(progress.at(-1)).toBe(content.length);
    expect(readdirSync(models)).toEqual(['tiny.gguf']);
  });

  it('fetches nothing that is there already, and replaces what is damaged', async () => {
    await pull();
    expect((await pull()).outcome).toBe('already-there');
    expect(seen).toHaveLength(1);
    writeFileSync(path, 'damaged');
    expect((await pull()).outcome).toBe('downloaded');
    expect(readFileSync(path)).toEqual(content);
  });

  it('continues where it was interrupted', async () => {
    await expect(brokenOff()).rejects.toMatchObject({
      reason: 'incomplete',
      keptBytes: 10_000,
      message: expect.stringContaining('run the command again'),
    });
    expect(existsSync(path)).toBe(false);
    behaviour = serving();
    expect((await pull()).outcome).toBe('downloaded');
    expect(seen[1]).toMatchObject({ range: 'bytes=10000-', 'if-range': '"v1"' });
    expect(readFileSync(path)).toEqual(content);
  });

  it('keeps the part when it is aborted, and rejects with the reason', async () => {
    behaviour = (request, response) => {
      response.writeHead(200, { 'content-length': content.length, etag: '"v1"' });
      response.write(content.subarray(0, 5_000));
      request.on('close', () => response.destroy());
    };
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    await expect(
      pull({}, { signal: controller.signal, onProgress: () => controller.abort(reason) }),
    ).rejects.toBe(reason);
    expect(statSync(part).size).toBe(5_000);
    behaviour = serving();
    await pull();
    expect(seen[1]?.range).toBe('bytes=5000-');
  });

  it('starts anew when the server has another file now, or cannot send ranges', async () => {
    for (const later of [serving({ etag: '"v2"' }), serving({ ranges: false })]) {
      await expect(brokenOff()).rejects.toMatchObject({ keptBytes: 10_000 });
      behaviour = later;
      await pull();
      expect(readFileSync(path)).toEqual(content);
      rmSync(path);
    }
  });

  it('finishes a part that was complete, and drops one that is too long', async () => {
    await pull({}, {});
    rmSync(path);
    writeFileSync(part, content);
    expect((await pull()).outcome).toBe('downloaded');
    rmSync(path);
    writeFileSync(part, Buffer.concat([content, Buffer.from('more')]));
    await expect(pull()).rejects.toMatchObject({ reason: 'incomplete', keptBytes: 0 });
    expect((await pull()).outcome).toBe('downloaded');
  });

  it('deletes what has the wrong checksum, or is no GGUF file', async () => {
    await expect(pull({ sha256: 'f'.repeat(64) })).rejects.toMatchObject({
      reason: 'wrong-content',
      keptBytes: 0,
      message: expect.stringContaining(sha256),
    });
    behaviour = serving({ body: Buffer.alloc(content.length, '<html>') });
    await expect(pull({ sha256: null })).rejects.toMatchObject({ reason: 'wrong-content' });
    expect(readdirSync(models)).toEqual([]);
  });

  it('goes by size and head where no checksum is known, and says so', async () => {
    expect((await pull({ sha256: null })).verified).toBe('size-and-head');
    rmSync(path);
    await expect(pull({ sha256: null, bytes: content.length - 1 })).rejects.toMatchObject({
      reason: 'wrong-content',
      message: expect.stringContaining(String(content.length)),
    });
    const rounded = { sha256: null, bytes: Math.round(content.length * 1.1), bytesAreApproximate: true };
    expect((await pull(rounded)).outcome).toBe('downloaded');
  });

  it.each([
    [404, 'not-found'],
    [403, 'refused'],
    [503, 'unreachable'],
  ])('says what a %i means', async (status, reason) => {
    behaviour = (_request, response) => void response.writeHead(status).end();
    await expect(pull()).rejects.toMatchObject({ reason, message: expect.stringContaining(String(status)) });
  });

  it('gives up on a server that goes silent, before or within the file, and keeps what came', async () => {
    const impatient = () => pull({}, { stallMs: 300 });
    behaviour = () => undefined;
    await expect(impatient()).rejects.toMatchObject({ reason: 'unreachable', keptBytes: 0 });
    behaviour = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 700));
    };
    await expect(impatient()).rejects.toMatchObject({ reason: 'incomplete', keptBytes: 700 });
  });

  it('notices a server that claims less than the whole file', async () => {
    behaviour = serving({ body: content.subarray(0, 20_000) });
    await expect(pull({ sha256: null, bytesAreApproximate: true, bytes: 20_000 })).rejects.toMatchObject({
      reason: 'wrong-content',
      message: expect.stringContaining('cut short'),
    });
  });

  it('refuses a file for which the disk has no room, before fetching it', async () => {
    const huge = 2 ** 52;
    behaviour = (_request, response) =>
      void response.writeHead(200, { 'content-length': huge }).flushHeaders();
    await expect(pull({ bytes: huge })).rejects.toMatchObject({ reason: 'disk-full' });
  });

  it('lets only one process at a time fetch a file', async () => {
    const [first, second] = await Promise.allSettled([pull(), pull()]);
    expect([first, second].map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect([first, second].find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { reason: 'busy' },
    });
  });

  it('does not try to fetch a model that comes with the project', async () => {
    await expect(pull({ url: null, class: 'miniature' })).rejects.toMatchObject({
      reason: 'not-downloadable',
    });
  });
});
