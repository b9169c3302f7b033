import type { Service, ServiceMsg } from '@nats-io/services';
import { ServiceErrorCodeHeader, ServiceErrorHeader, Svcm } from '@nats-io/services';
import type { NatsConnection } from 'nats';
import { headers } from 'nats';
import { z } from 'zod';
import { decodeJson } from '../events/envelope.ts';
import { EndpointError, explain, HTTP_STATUS } from './endpoint-error.ts';
import { GATEWAY_INBOX, isInbox } from './subjects.ts';

export interface RequestContext {
  /** Aborted when the service stops and will wait no longer. */
  readonly signal: AbortSignal;
}

export interface EndpointSpec<Input, Output> {
  /** One word, shown by `nats micro info`. */
  readonly name: string;
  readonly subject: string;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  /** Schema of the answer, or of one item if the answer is a stream. */
  readonly output: z.ZodType<Output>;
  /** Whether `handle` returns a stream. */
  readonly streaming?: boolean;
  /** Longest request in bytes. Default 256 KiB. Schemas limit each text in it. */
  readonly maxBytes?: number;
  /** Requests in progress at the same time; others get the error `busy`. Default 256. */
  readonly maxInFlight?: number;
  /** Throws `EndpointError` for what the client should know. Any other error is answered as `internal` and reported. */
  handle(input: Input, context: RequestContext): Promise<Output> | AsyncIterable<Output>;
}

/** An endpoint whose types were checked against its schemas. `endpoint()` makes it. */
export interface Endpoint extends Omit<EndpointSpec<unknown, unknown>, 'handle'> {
  run(input: unknown, context: RequestContext): Promise<unknown> | AsyncIterable<unknown>;
}

/** The published description of an endpoint. */
export type DescribedEndpoint = Pick<
  Endpoint,
  'name' | 'subject' | 'description' | 'input' | 'output' | 'streaming'
>;

export interface ServeOptions {
  /** Name of the service, as `nats micro ls` shows it. */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly description: string;
  readonly endpoints: readonly Endpoint[];
  /**
   * Subject that answers with the JSON schemas of all endpoints, including those of other services. Default: the
   * schemas are only in the endpoints' metadata.
   */
  readonly schemas?: { readonly subject: string; readonly others: readonly DescribedEndpoint[] };
  /** Called with every error that is not the client's fault. */
  readonly onError?: (endpoint: string, error: unknown) => void;
}

export interface RunningService {
  /** Takes no more requests, waits up to `graceMs` (default 5,000) for those in progress, then aborts their signal. */
  stop(graceMs?: number): Promise<void>;
  /** Resolves when the service has ended: with null after `stop`, else with the reason. */
  readonly stopped: Promise<Error | null>;
}

interface Counters {
  inFlight: number;
  errors: number;
  answered: number;
  totalMs: number;
}

const DEFAULT_MAX_BYTES = 256 * 1024;
const DEFAULT_MAX_IN_FLIGHT = 256;
const DEFAULT_GRACE_MS = 5_000;
/** Items of a stream between two flushes to the broker. */
const FLUSH_EVERY = 64;

/** Ties the types of `handle` to the schemas. */
export function endpoint<Input, Output>(spec: EndpointSpec<Input, Output>): Endpoint {
  const { handle, ...rest } = spec;
  // Only `answer` calls it, with input that this endpoint's schema has parsed.
  return { ...rest, run: (input, context) => handle(input as Input, context) };
}

/**
 * Answers requests by NATS as a service that `nats micro` finds. JSON in, JSON out; an empty request counts as `{}`.
 *
 * An error is answered as `{"error":{"code","message","hint"?}}` with the headers `Nats-Service-Error` and
 * `Nats-Service-Error-Code`. A stream is one message per item and an empty one at the end, also after an error.
 * Requests without an inbox for the answer are dropped.
 */
export async function serveEndpoints(nc: NatsConnection, options: ServeOptions): Promise<RunningService> {
  const controller = new AbortController();
  const running = new Set<Promise<void>>();
  const counters = new Map<string, Counters>();
  const all =
    options.schemas === undefined
      ? options.endpoints
      : [
          ...options.endpoints,
          schemasEndpoint(options.schemas.subject, [...options.endpoints, ...options.schemas.others]),
        ];

  const service: Service = await new Svcm(nc).add({
    name: options.name,
    version: options.version,
    description: options.description,
    statsHandler: async ({ subject }) => statsOf(counters.get(subject)),
  });
  for (const spec of all) {
    const counter: Counters = { inFlight: 0, errors: 0, answered: 0, totalMs: 0 };
    counters.set(spec.subject, counter);
    service.addEndpoint(spec.name, {
      subject: spec.subject,
      metadata: metadataOf(spec),
      handler: (error, message) => {
        // A client that names a gateway's inbox could replace the answer to another client.
        if (error !== null || !isInbox(message.reply) || message.reply.startsWith(GATEWAY_INBOX)) return;
        const work = answer(nc, spec, message, controller.signal, counter, options.onError);
        const settled = work.finally(() => running.delete(settled));
        running.add(settled);
      },
    });
  }

  // After this, the broker knows the service.
  await nc.flush();
  return {
    stopped: service.stopped,
    async stop(graceMs = DEFAULT_GRACE_MS) {
      await service.stop();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.all(running), grace]);
      clearTimeout(timer);
      controller.abort();
    },
  };
}

/** Never rejects: every outcome is answered, or reported if the answer can no longer be sent. */
async function answer(
  nc: NatsConnection,
  spec: Endpoint,
  message: ServiceMsg,
  signal: AbortSignal,
  counter: Counters,
  onError: ServeOptions['onError'],
): Promise<void> {
  const startedAt = performance.now();
  counter.inFlight += 1;
  try {
    try {
      if (counter.inFlight > (spec.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT)) throw busy(spec);
      const result = spec.run(readRequest(spec, message.data), { signal });
      if (Symbol.asyncIterator in result) await respondAll(nc, spec, message, result);
      else respond(nc, spec, message, await result);
    } catch (error) {
      counter.errors += 1;
      const known = error instanceof EndpointError ? error : internal(spec);
      if (known !== error || HTTP_STATUS[known.code] >= 500) onError?.(spec.name, error);
      respondError(message, known);
    }
    if (spec.streaming) message.respond();
  } catch (error) {
    // The connection is closed, so the error can only be reported here.
    onError?.(spec.name, error);
  } finally {
    counter.inFlight -= 1;
    counter.answered += 1;
    counter.totalMs += performance.now() - startedAt;
  }
}

function readRequest(spec: Endpoint, bytes: Uint8Array): unknown {
  const maxBytes = spec.maxBytes ?? DEFAULT_MAX_BYTES;
  if (bytes.length > maxBytes) {
    throw new EndpointError(
      'too-large',
      `The request has ${bytes.length} bytes, and ${spec.subject} takes at most ${maxBytes}. Nothing was done.`,
    );
  }
  let value: unknown = {};
  if (bytes.length > 0) {
    try {
      value = decodeJson(bytes);
    } catch {
      throw new EndpointError('bad-request', 'The request is not JSON in UTF-8. Nothing was done.', {
        hint: hintOf(spec),
      });
    }
  }
  const parsed = spec.input.safeParse(value);
  if (!parsed.success) {
    throw new EndpointError('bad-request', `${explain(parsed.error)} Nothing was done.`, {
      hint: hintOf(spec),
    });
  }
  return parsed.data;
}

function respond(nc: NatsConnection, spec: Endpoint, message: ServiceMsg, value: unknown): void {
  const body = Buffer.from(JSON.stringify(spec.output.parse(value)));
  const most = nc.info?.max_payload ?? 1024 ** 2;
  if (body.length > most) {
    throw new EndpointError(
      'answer-too-large',
      `The answer has ${body.length} bytes, and a message takes at most ${most}.`,
      {
        hint: 'Ask for less at once: a smaller limit, or a narrower filter.',
      },
    );
  }
  message.respond(body);
}

async function respondAll(
  nc: NatsConnection,
  spec: Endpoint,
  message: ServiceMsg,
  items: AsyncIterable<unknown>,
): Promise<void> {
  let count = 0;
  for await (const item of items) {
    respond(nc, spec, message, item);
    count += 1;
    if (count % FLUSH_EVERY === 0) await nc.flush();
  }
}

function respondError(message: ServiceMsg, { code, message: text, hint }: EndpointError): void {
  const meta = headers();
  // A header is one line.
  meta.set(ServiceErrorHeader, text.replace(/\s+/g, ' ').slice(0, 500));
  meta.set(ServiceErrorCodeHeader, String(HTTP_STATUS[code]));
  const body = { error: { code, message: text, ...(hint === undefined ? {} : { hint }) } };
  message.respond(Buffer.from(JSON.stringify(body)), { headers: meta });
}

function busy(spec: Endpoint): EndpointError {
  return new EndpointError(
    'busy',
    `${spec.subject} is busy with ${spec.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT} requests, which is its limit. Nothing was done.`,
    { hint: 'Ask again in a moment.' },
  );
}

function internal(spec: Endpoint): EndpointError {
  return new EndpointError(
    'internal',
    `${spec.subject} failed with an internal error. The network's log has the reason.`,
    {
      hint: 'Ask again. A request that carries its own id is never done twice.',
    },
  );
}

function hintOf(spec: Endpoint): string {
  return `Send a JSON object that matches the schema of "${spec.name}" (dellm.schemas shows it).`;
}

interface EndpointSchema {
  readonly name: string;
  readonly subject: string;
  readonly description: string;
  readonly streaming: boolean;
  readonly request: unknown;
  readonly response: unknown;
}

function schemaOf(spec: DescribedEndpoint): EndpointSchema {
  return {
    name: spec.name,
    subject: spec.subject,
    description: spec.description,
    streaming: spec.streaming ?? false,
    request: z.toJSONSchema(spec.input, { io: 'input', unrepresentable: 'any' }),
    response: z.toJSONSchema(spec.output, { io: 'output', unrepresentable: 'any' }),
  };
}

function metadataOf(spec: Endpoint): Record<string, string> {
  const { description, streaming, request, response } = schemaOf(spec);
  return {
    description,
    streaming: String(streaming),
    request_schema: JSON.stringify(request),
    response_schema: JSON.stringify(response),
  };
}

function schemasEndpoint(subject: string, endpoints: readonly DescribedEndpoint[]): Endpoint {
  const item = z.object({
    name: z.string(),
    subject: z.string(),
    description: z.string(),
    streaming: z.boolean(),
    request: z.unknown(),
    response: z.unknown(),
  });
  const schemas = endpoints.map(schemaOf);
  return endpoint({
    name: 'schemas',
    subject,
    description: 'The JSON schemas of all requests and answers',
    input: z.strictObject({}),
    output: z.object({ endpoints: z.array(item) }),
    handle: async () => ({ endpoints: schemas }),
  });
}

/** The library measures only the time until the handler returns, which says nothing about an asynchronous one. */
function statsOf(counter: Counters | undefined): object | null {
  if (counter === undefined) return null;
  const { inFlight, errors, answered, totalMs } = counter;
  return { inFlight, errors, answered, averageMs: answered === 0 ? 0 : totalMs / answered };
}
