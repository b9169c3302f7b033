import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyGguf } from '../../test/support/gguf.ts';
import { GgufError, readGgufHeader } from './gguf.ts';

describe('the head of a GGUF file', () => {
  let folder: string;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dellm-gguf-'));
    path = join(folder, 'model.gguf');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('tells architecture and metadata of a good file', () => {
    writeTinyGguf(path);
    const header = readGgufHeader(path);
    expect(header.architecture).toBe('llama');
    expect(header.version).toBe(3);
    expect(header.metadata.get('llama.context_length')).toBe(256);
    expect(header.metadata.get('tokenizer.ggml.tokens')).toEqual({ length: 260 });
  });

  it('names the metadata that is missing, without which llama.cpp would abort', () => {
    writeTinyGguf(path, {
      metadata: { 'llama.feed_forward_length': null, 'tokenizer.ggml.token_type': null },
    });
    expect(() => readGgufHeader(path)).toThrow(
      'its metadata lacks tokenizer.ggml.token_type, llama.feed_forward_length',
    );
  });

  it('sees that the last tensor is cut short by one byte', () => {
    writeTinyGguf(path, { cut: 1 });
    expect(() => readGgufHeader(path)).toThrow(/cut short/);
  });

  it('refuses what is no GGUF file', () => {
    writeFileSync(path, '<html>404 Not Found</html>');
    expect(() => readGgufHeader(path)).toThrow('it does not start with "GGUF"');
  });

  it('refuses every file that ends too early, and never hangs on absurd lengths', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (share) => {
        writeTinyGguf(path);
        truncateSync(path, Math.floor(share * 40_000));
        expect(() => readGgufHeader(path)).toThrow(GgufError);
      }),
      { numRuns: 30 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 200 }), (noise) => {
        writeFileSync(path, Buffer.concat([Buffer.from('GGUF\x03\0\0\0'), noise]));
        expect(() => readGgufHeader(path)).toThrow(GgufError);
      }),
      { numRuns: 50 },
    );
  });
});
