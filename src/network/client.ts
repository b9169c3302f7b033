import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import type { z } from 'zod';
import { decodeJson, encodeJson } from '../events/envelope.ts';
import type { Stakes } from '../events/values.ts';
import { ASK_TIMEOUT_MS } from '../gateway/limits.ts';
import { AskOutput } from '../gateway/schemas.ts';
import { dataFolderPath, readRuntime } from '../host/data-folder.ts';
import { connectNats } from '../messaging/connection.ts';
import { errorBody } from '../messaging/endpoint-error.ts';
import { QueryOutput } from '../projections/query-trace.ts';

export interface Question {
  readonly question: string;
  readonly account?: string;
  readonly queryId?: string;
  readonly stakes?: Stakes;
  /** Milliseconds. */
  readonly timeout?: number;
}

export type Steps = QueryOutput['query']['steps'];

const TRACE_PATIENCE_MS = 5_000;
const REPLY_GRACE_MS = 5_000;

/** The network refused a request. The message gives the reason to the user. */
export class NetworkAnswerError extends Error {
  override readonly name = 'NetworkAnswerError';
  readonly code: string;
  readonly hint: string | undefined;
  constructor({ code, message, hint }: { code: string; message: string; hint?: string | undefined }) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** No network can be reached. */
export class NoNetworkError extends Error {
  override readonly name = 'NoNetworkError';
}

/**
 * The address of the network for commands: the network on the data folder, else the broker of NATS_URL, else
 * null.
 */
export async function findNetwork(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const runtime = await readRuntime(dataFolderPath(env));
  return runtime?.natsUrl ?? env.NATS_URL ?? null;
}

/** A client's connection to the running network. Throws `NoNetworkError`. */
export async function connectClient(url: string | null): Promise<NatsConnection> {
  if (url === null) {
    throw new NoNetworkError(
      `No network runs on the data folder ${dataFolderPath()}. Start one with "dellm up", or choose another folder with DELLM_HOME or a broker with NATS_URL.`,
    );
  }
  return connectNats({ url, name: 'dellm-cli' });
}

/**
 * Sends one request to a service of the network. Throws `NetworkAnswerError` if the service refuses it, and
 * `NoNetworkError` if nobody answers.
 */
export async function request<T>(
  nc: NatsConnection,
  subject: string,
  body: object,
  schema: z.ZodType<T>,
  timeoutMs = 10_000,
): Promise<T> {
  let bytes: Uint8Array;
  try {
    bytes = (await nc.request(subject, encodeJson(body), { timeout: timeoutMs })).data;
  } catch (cause) {
    throw new NoNetworkError(
      `The message broker runs, but nothing answered at ${subject}. Is the network still starting, or is its ${subject.startsWith('dellm.ask') ? 'gateway' : 'projector'} down?`,
      { cause },
    );
  }
  const value = decodeJson(bytes);
  const refused = errorBody.safeParse(value);
  if (refused.success) throw new NetworkAnswerError(refused.data.error);
  return schema.parse(value);
}

/** Asks one question over a connection. */
export async function ask(nc: NatsConnection, given: Question): Promise<AskOutput> {
  const { question, account, queryId = randomUUID(), stakes = 'normal' } = given;
  const timeoutMs = given.timeout ?? ASK_TIMEOUT_MS.default;
  const body = { question, queryId, stakes, timeoutMs, ...(account && { account }) };
  return request(nc, 'dellm.ask', body, AskOutput, timeoutMs + REPLY_GRACE_MS);
}

/** All steps of a query, as soon as the read model has its ending. */
export async function traceOf(nc: NatsConnection, queryId: string): Promise<Steps> {
  const deadline = Date.now() + TRACE_PATIENCE_MS;
  for (;;) {
    const { query } = await request(nc, 'dellm.query', { queryId }, QueryOutput).catch((error: unknown) => {
      if (Date.now() >= deadline) throw error;
      return { query: null };
    });
    if (query?.result || (query && Date.now() >= deadline)) return query.steps;
    await sleep(50);
  }
}
