import { z } from 'zod';

/** The error codes of requests, with their numbers in `Nats-Service-Error-Code`. */
export const HTTP_STATUS = {
  'bad-request': 400,
  'no-credits': 402,
  refused: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  busy: 429,
  internal: 500,
  'answer-too-large': 500,
  unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof HTTP_STATUS;

/** An error for the client: what happened, what was kept, and (`hint`) what to do next. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  constructor(code: ErrorCode, message: string, options: ErrorOptions & { readonly hint?: string } = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }
}

/** The JSON body of an error. */
export const errorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

const MAX_ISSUES = 5;
const MAX_LENGTH = 800;

/** Describes briefly what is wrong with a request. Foreign text in it is cut. */
export function explain(error: z.ZodError): string {
  const { issues } = error;
  const shown = issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
    const where = path.map(String).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  const rest = issues.length > MAX_ISSUES ? ` and ${issues.length - MAX_ISSUES} more` : '';
  const text = `${shown.join('; ')}${rest}`;
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}….` : `${text}.`;
}
