import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** The header of a GGUF file. Arrays are skipped; only their length is kept. */
export interface GgufHeader {
  readonly version: number;
  readonly architecture: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: number;
}

export type GgufValue = string | number | bigint | boolean | { readonly length: number };

/** llama.cpp could not load the file. The message says what is wrong with it. */
export class GgufError extends Error {
  override readonly name = 'GgufError';
}

export const GGUF_MAGIC = Buffer.from('GGUF');

/** Keys without which llama.cpp refuses a file, aborts its process, or answers wrongly (the token types). */
const REQUIRED = ['tokenizer.ggml.model', 'tokenizer.ggml.tokens', 'tokenizer.ggml.token_type'];
const REQUIRED_OF_TRANSFORMERS = [
  'context_length',
  'embedding_length',
  'block_count',
  'feed_forward_length',
  'attention.head_count',
];
const TRANSFORMERS = /^(llama|qwen|gemma|phi|smollm|stablelm|mistral|granite|olmo|starcoder)/;

/** Bytes per block and elements per block of the tensor types, by their number in ggml.h. */
const BLOCKS: Readonly<Record<number, readonly [bytes: number, elements: number]>> = {
  0: [4, 1],
  1: [2, 1],
  2: [18, 32],
  3: [20, 32],
  6: [22, 32],
  7: [24, 32],
  8: [34, 32],
  9: [36, 32],
  10: [84, 256],
  11: [110, 256],
  12: [144, 256],
  13: [176, 256],
  14: [210, 256],
  15: [292, 256],
  30: [2, 1],
};

const CHUNK = 1 << 16;
const MAX_STRING = 1 << 24;
const MAX_ENTRIES = 1 << 20;

/**
 * Reads and checks the header of a GGUF file (versions 2 and 3, little-endian), synchronously. A file that llama.cpp
 * cannot load may abort the whole process, so it must be checked first. Throws `GgufError`, or the error of the file
 * system.
 */
export function readGgufHeader(path: string): GgufHeader {
  const { size } = statSync(path);
  const file = openSync(path, 'r');
  try {
    return parseHeader(new Reader(file, size), size);
  } finally {
    closeSync(file);
  }
}

function parseHeader(reader: Reader, size: number): GgufHeader {
  if (!reader.bytes(4).equals(GGUF_MAGIC)) throw new GgufError('it does not start with "GGUF"');
  const version = reader.u32();
  if (version < 2 || version > 3) throw new GgufError(`it has version ${version}, not 2 or 3`);
  const tensors = reader.count('tensors');
  const entries = reader.count('metadata entries');
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entries; i++) metadata.set(reader.string(), reader.value(reader.u32()));

  const architecture = metadata.get('general.architecture');
  if (typeof architecture !== 'string') throw new GgufError('it names no architecture');
  const required = [
    ...REQUIRED,
    ...(TRANSFORMERS.test(architecture)
      ? REQUIRED_OF_TRANSFORMERS.map((key) => `${architecture}.${key}`)
      : []),
  ];
  const missing = required.filter((key) => !metadata.has(key));
  if (missing.length > 0) throw new GgufError(`its metadata lacks ${missing.join(', ')}`);
  if (tensors === 0) throw new GgufError('it holds no tensors');

  let end = 0;
  for (let i = 0; i < tensors; i++) end = Math.max(end, reader.tensorEnd());
  const alignment = metadata.get('general.alignment');
  const step = typeof alignment === 'number' && alignment > 0 ? alignment : 32;
  const needed = Math.ceil(reader.position / step) * step + end;
  if (needed > size) throw new GgufError(`it is cut short: ${size} bytes of at least ${needed}`);
  return { version, architecture, metadata, tensors };
}

class Reader {
  position = 0;
  readonly #file: number;
  readonly #size: number;
  #chunk = Buffer.alloc(0);
  #chunkStart = 0;

  constructor(file: number, size: number) {
    this.#file = file;
    this.#size = size;
  }

  bytes(length: number): Buffer {
    if (this.position + length > this.#size) throw new GgufError('it ends within its head');
    const offset = this.position - this.#chunkStart;
    if (offset < 0 || offset + length > this.#chunk.length) {
      this.#chunk = Buffer.alloc(Math.max(length, CHUNK));
      const read = readSync(this.#file, this.#chunk, 0, this.#chunk.length, this.position);
      this.#chunk = this.#chunk.subarray(0, read);
      this.#chunkStart = this.position;
      if (read < length) throw new GgufError('it ends within its head');
    }
    const start = this.position - this.#chunkStart;
    this.position += length;
    return this.#chunk.subarray(start, start + length);
  }

  u32(): number {
    return this.bytes(4).readUInt32LE();
  }

  u64(): number {
    const value = this.bytes(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufError('it has absurd lengths in its head');
    return Number(value);
  }

  count(what: string): number {
    const value = this.u64();
    if (value > MAX_ENTRIES) throw new GgufError(`it claims ${value} ${what}`);
    return value;
  }

  string(): string {
    const length = this.u64();
    if (length > MAX_STRING) throw new GgufError(`it has a string of ${length} bytes in its head`);
    return this.bytes(length).toString('utf8');
  }

  value(type: number): GgufValue {
    switch (type) {
      case 0:
        return this.bytes(1).readUInt8();
      case 1:
        return this.bytes(1).readInt8();
      case 2:
        return this.bytes(2).readUInt16LE();
      case 3:
        return this.bytes(2).readInt16LE();
      case 4:
        return this.u32();
      case 5:
        return this.bytes(4).readInt32LE();
      case 6:
        return this.bytes(4).readFloatLE();
      case 7:
        return this.bytes(1).readUInt8() !== 0;
      case 8:
        return this.string();
      case 9: {
        const item = this.u32();
        const length = this.u64();
        if (item === 9) throw new GgufError('it has arrays within arrays in its head');
        for (let i = 0; i < length; i++) this.value(item);
        return { length };
      }
      case 10:
        return this.bytes(8).readBigUInt64LE();
      case 11:
        return this.bytes(8).readBigInt64LE();
      case 12:
        return this.bytes(8).readDoubleLE();
      default:
        throw new GgufError(`it has metadata of the unknown type ${type}`);
    }
  }

  /** End of the next tensor's data, from the start of the data section. Unknown types count as empty. */
  tensorEnd(): number {
    this.string();
    const dimensions = this.u32();
    if (dimensions > 8) throw new GgufError(`it has a tensor of ${dimensions} dimensions`);
    let elements = 1;
    for (let i = 0; i < dimensions; i++) elements *= this.u64();
    const [bytes, perBlock] = BLOCKS[this.u32()] ?? [0, 1];
    return this.u64() + (elements / perBlock) * bytes;
  }
}
