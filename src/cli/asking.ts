import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import { ASK_TIMEOUT_MS } from '../gateway/limits.ts';
import { AskOutput, QueryOutput } from '../gateway/schemas.ts';
import { request } from '../network/client.ts';
import { percent, printLines } from './output.ts';
import { printableLine } from './printable.ts';
import { printTrace } from './trace.ts';

export interface Question {
  readonly question: string;
  readonly account?: string;
  readonly queryId?: string;
  readonly stakes?: 'normal' | 'high';
  /** Milliseconds. */
  readonly timeout?: number;
}

export type Steps = QueryOutput['query']['steps'];

const TRACE_PATIENCE_MS = 5_000;
const REPLY_GRACE_MS = 5_000;

/** One question over a connection. */
export async function ask(nc: NatsConnection, given: Question): Promise<AskOutput> {
  const { question, account, queryId = randomUUID(), stakes = 'normal' } = given;
  const timeoutMs = given.timeout ?? ASK_TIMEOUT_MS.default;
  const body = { question, queryId, stakes, timeoutMs, ...(account && { account }) };
  return request(nc, 'dellm.ask', body, AskOutput, timeoutMs + REPLY_GRACE_MS);
}

/** Every step of a query, as soon as the read model knows its ending. */
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

/** The answer as a person reads it. */
export function printAnswer(answer: AskOutput, trace: Steps | null): void {
  const lines = trace ? [...printTrace(trace), ''] : [];
  if (answer.outcome === 'answered') {
    lines.push(answer.answer ?? '', '');
    lines.push(`${percent(answer.confidence)} sure · ${answer.credits} credits · query ${answer.queryId}`);
  } else {
    lines.push(answer.answer ?? 'No answer came in time.', '');
    if (answer.reason) lines.push(printableLine(answer.reason));
    if (answer.candidate)
      lines.push(`Best guess, ${percent(answer.confidence)} sure: ${printableLine(answer.candidate)}`);
    lines.push(`nothing charged · query ${answer.queryId}`);
  }
  printLines(lines);
}
