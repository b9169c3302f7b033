import { z } from 'zod';
import type { Parsed } from '../events/values.ts';
import type { AnyProjection, Projection } from './projection.ts';

/** The rows of all projections, all from one position. */
export interface RowReader {
  /** Position of the last folded event; -1 before the first. */
  readonly position: number;
  row<Row>(projection: Projection<Row>, key: string): Row | undefined;
  /** Rows in the order of their keys. */
  rows<Row>(projection: Projection<Row>, range?: Range): Iterable<readonly [key: string, row: Row]>;
  count(projection: AnyProjection, range?: Range): number;
}

export interface Range {
  /** Prefix of the keys. Default: all keys. */
  readonly prefix?: string;
  /** Only keys after this one. */
  readonly after?: string | undefined;
  /** Whether to omit rows of things that have ended. Default: no. */
  readonly present?: boolean;
}

/** A request that the network answers from its rows. */
export interface Read<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** One word. `nats micro info` shows it. */
  readonly name: string;
  /** `dellm.<name>` is open to everybody, `dellm.view.<name>` only to roles of the network. */
  readonly subject: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** @throws {NotFoundError} */
  answer(request: z.output<Input>, rows: RowReader): Parsed<Output>;
}

/** The requested thing does not exist. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  /** What to do about it. */
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Number of rows on a page. */
export const PAGE_LIMIT = { default: 50, most: 500 } as const;

export const limit = z.int().min(1).max(PAGE_LIMIT.most).default(PAGE_LIMIT.default);

/** Members of a request for one page of a list. */
export const page = {
  after: z.string().max(200).optional().describe('Key of the last row of the previous page'),
  limit,
};

/** Members of an answer that is one page of a list. */
export const paged = {
  next: z.string().nullable(),
};

export const minPosition = z
  .int()
  .min(0)
  .optional()
  .describe('Wait until the read model has reached this position');
export const position = z.int().describe('Position of the event store that the answer is from');

/**
 * A read that is open to everybody. Its request may name a position that the rows must have reached, and its
 * answer contains their position. `input` and `output` are the other members.
 */
export function read<Input extends z.ZodRawShape, Output extends z.ZodRawShape>(spec: {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  answer(request: z.output<z.ZodObject<Input>>, rows: RowReader): Parsed<z.ZodObject<Output>>;
}) {
  const { name, description } = spec;
  const input = z.strictObject({ ...spec.input, minPosition });
  const output = z.object({ position, ...spec.output });
  const answer = (request: z.output<typeof input>, rows: RowReader) => ({
    position: rows.position,
    // The request has the members of `spec.input` and `minPosition`, which TypeScript cannot infer through
    // generic shapes.
    ...spec.answer(request as unknown as z.output<z.ZodObject<Input>>, rows),
  });
  return { name, subject: `dellm.${name}`, description, input, output, answer };
}

/** The first `most` rows, and the key after which the next page begins; null if there is none. */
export function pageOf<Row>(
  rows: Iterable<readonly [string, Row]>,
  most: number,
): { readonly rows: readonly (readonly [string, Row])[]; readonly next: string | null } {
  const found: (readonly [string, Row])[] = [];
  for (const row of rows) {
    if (found.length === most) return { rows: found, next: found.at(-1)?.[0] ?? null };
    found.push(row);
  }
  return { rows: found, next: null };
}
