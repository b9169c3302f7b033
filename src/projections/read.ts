import { z } from 'zod';
import type { Parsed } from '../events/values.ts';
import type { AnyProjection, Projection } from './projection.ts';

/** Rows of all projections, as reads see them: all from one position. */
export interface RowReader {
  /** Position of the last event that the rows know; -1 before the first. */
  readonly position: number;
  row<Row>(projection: Projection<Row>, key: string): Row | undefined;
  /** Rows in the order of their keys. */
  rows<Row>(projection: Projection<Row>, range?: Range): Iterable<readonly [key: string, row: Row]>;
  count(projection: AnyProjection, range?: Range): number;
}

export interface Range {
  /** What the keys start with. Default: anything. */
  readonly prefix?: string;
  /** Only keys after this one. */
  readonly after?: string | undefined;
  /** Whether rows of what is no more are left out. Default: no. */
  readonly present?: boolean;
}

/** A question that the network answers from its rows. */
export interface Read<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** One word, shown by `nats micro info`. */
  readonly name: string;
  /** `dellm.<name>` is for everybody, `dellm.view.<name>` for the network's own roles. */
  readonly subject: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** @throws {NotFoundError} */
  answer(request: z.output<Input>, rows: RowReader): Parsed<Output>;
}

/** What was asked for does not exist. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  /** What to do about it. */
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Rows of one page. */
export const PAGE_LIMIT = { default: 50, most: 500 } as const;

export const limit = z.int().min(1).max(PAGE_LIMIT.most).default(PAGE_LIMIT.default);

/** Members of a request for one page of a list. */
export const page = {
  after: z.string().max(200).optional().describe('Key of the last row of the page before'),
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
  .describe('Wait until the read model knows this position');
export const position = z.int().describe('Position of the event store that the answer is from');

/**
 * A read for everybody: its request may name a position that the answer must know, and the answer says which one it
 * knows. `input` and `output` are the other members.
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
    // It has the members of `spec.input` and one more, which TypeScript does not see through generic shapes.
    ...spec.answer(request as unknown as z.output<z.ZodObject<Input>>, rows),
  });
  return { name, subject: `dellm.${name}`, description, input, output, answer };
}

/** The first of the rows, and the key after which the next page begins; null: there is no more. */
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
