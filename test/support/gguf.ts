import { writeFileSync } from 'node:fs';

type Value = string | number | boolean | readonly string[] | readonly number[];

export interface TinyModel {
  /** Metadata to add or, with `null`, to leave out. */
  readonly metadata?: Readonly<Record<string, Value | null>>;
  /** Bytes cut off the end of the file. */
  readonly cut?: number;
}

const WIDTH = 32;
const SPECIAL = ['<|pad|>', '<|im_end|>', '<|im_start|>', '<|user|>'];
const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/**
 * Writes a llama model with one layer, random weights and a ChatML template. Its output has no meaning, but it
 * loads and runs, so that specs can see how the engine handles such a file, or one with missing parts.
 */
export function writeTinyGguf(path: string, { metadata = {}, cut = 0 }: TinyModel = {}): void {
  const bytes = Array.from({ length: 256 }, (_, byte) => gpt2Character(byte));
  const tokens = [...SPECIAL, ...bytes];
  const all: Record<string, Value | null> = {
    'general.architecture': 'llama',
    'general.name': 'tiny',
    'llama.context_length': 256,
    'llama.embedding_length': WIDTH,
    'llama.block_count': 1,
    'llama.feed_forward_length': WIDTH,
    'llama.attention.head_count': 2,
    'llama.attention.head_count_kv': 2,
    'llama.attention.layer_norm_rms_epsilon': 1e-5,
    'llama.rope.dimension_count': WIDTH / 2,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': tokens.map((_, i) => (i < SPECIAL.length ? 3 : 1)),
    'tokenizer.ggml.merges': [`${bytes[32]} ${bytes[116]}`],
    'tokenizer.ggml.bos_token_id': 2,
    'tokenizer.ggml.eos_token_id': 1,
    'tokenizer.ggml.add_bos_token': false,
    'tokenizer.chat_template': CHATML,
    ...metadata,
  };
  const entries = Object.entries(all).filter((entry): entry is [string, Value] => entry[1] !== null);
  const tensors = layerTensors(tokens.length);
  const head = [
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(entries.length),
    ...entries.flatMap(([key, value]) => [string(key), ...encode(key, value)]),
  ];
  const data: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    head.push(string(tensor.name), u32(tensor.shape.length), ...tensor.shape.map(u64), u32(0), u64(offset));
    const body = Buffer.from(tensor.values.buffer);
    data.push(body, Buffer.alloc(-body.length & 31));
    offset += body.length + (-body.length & 31);
  }
  const start = Buffer.concat(head);
  const file = Buffer.concat([start, Buffer.alloc(-start.length & 31), ...data]);
  writeFileSync(path, file.subarray(0, file.length - cut));
}

function layerTensors(vocabulary: number) {
  let state = 12345;
  const tensor = (name: string, ...shape: number[]) => {
    const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      values[i] = name.includes('norm') ? 1 : (state / 2 ** 32 - 0.5) / 2;
    }
    return { name, shape, values };
  };
  return [
    tensor('token_embd.weight', WIDTH, vocabulary),
    tensor('blk.0.attn_norm.weight', WIDTH),
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'].map((part) =>
      tensor(`blk.0.${part}.weight`, WIDTH, WIDTH),
    ),
    tensor('blk.0.ffn_norm.weight', WIDTH),
    tensor('output_norm.weight', WIDTH),
  ];
}

/** GPT-2 writes bytes that are not printable as characters from U+0100 on. */
function gpt2Character(byte: number): string {
  const prints = (b: number) => (b >= 33 && b < 127) || (b >= 161 && b < 173) || (b >= 174 && b < 256);
  if (prints(byte)) return String.fromCharCode(byte);
  let rank = 0;
  for (let b = 0; b < byte; b++) if (!prints(b)) rank++;
  return String.fromCharCode(256 + rank);
}

function encode(key: string, value: Value): Buffer[] {
  if (typeof value === 'string') return [u32(8), string(value)];
  if (typeof value === 'boolean') return [u32(7), Buffer.from([value ? 1 : 0])];
  if (typeof value === 'number') return key.includes('epsilon') ? [u32(6), f32(value)] : [u32(4), u32(value)];
  const items = value as readonly (string | number)[];
  return typeof items[0] === 'string'
    ? [u32(9), u32(8), u64(items.length), ...items.map((item) => string(String(item)))]
    : [u32(9), u32(5), u64(items.length), ...items.map((item) => u32(Number(item)))];
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function f32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
}

function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function string(text: string): Buffer {
  return Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);
}
