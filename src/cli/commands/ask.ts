import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import { ASK_TIMEOUT_MS, AskOutput, QueryOutput } from '../../gateway/schemas.ts';
import { dataFolderPath } from '../../host/data-folder.ts';
import { EXIT } from '../exit-codes.ts';
import { progress, stderrLog } from '../log.ts';
import { connectClient, findNetwork, request } from '../network/client.ts';
import { bootLocalNetwork, type LocalNetwork } from '../network/local.ts';
import { printTrace } from '../trace.ts';

export interface AskOptions {
  readonly json: boolean;
  readonly trace: boolean;
  readonly account?: string;
  readonly queryId?: string;
  readonly stakes: 'normal' | 'high';
  readonly timeout: number;
  readonly verbose: boolean;
}

const TRACE_PATIENCE_MS = 5_000;
const REPLY_GRACE_MS = 5_000;

/** Asks the network that runs, or boots one for this question. Resolves with the exit code. */
export async function askCommand(question: string, options: AskOptions): Promise<number> {
  let booted: LocalNetwork | null = null;
  let url = await findNetwork();
  if (url === null) {
    booted = await bootLocalNetwork({
      home: dataFolderPath(),
      natsPort: null,
      natsUrl: null,
      storeUrl: process.env.ESDB_URL ?? null,
      onLog: stderrLog(options),
      onProgress: options.json ? () => {} : progress,
    });
    url = booted.natsUrl;
  }
  try {
    const nc = await connectClient(url);
    try {
      const answer = await ask(nc, question, options);
      const trace = options.trace ? await traceOf(nc, answer.queryId) : null;
      if (options.json) process.stdout.write(`${JSON.stringify({ ...answer, ...(trace && { trace }) })}\n`);
      else print(answer, trace);
      return answer.outcome === 'answered' ? EXIT.ok : EXIT.unknown;
    } finally {
      await nc.close();
    }
  } finally {
    await booted?.stop();
  }
}

/** One question over a connection. */
export async function ask(
  nc: NatsConnection,
  question: string,
  {
    account,
    queryId = randomUUID(),
    stakes = 'normal',
    timeout = ASK_TIMEOUT_MS.default,
  }: Partial<AskOptions>,
): Promise<AskOutput> {
  const body = { question, queryId, stakes, timeoutMs: timeout, ...(account && { account }) };
  return request(nc, 'dellm.ask', body, AskOutput, timeout + REPLY_GRACE_MS);
}

/** Every step of a query, as soon as the read model knows its ending. */
export async function traceOf(nc: NatsConnection, queryId: string): Promise<QueryOutput['query']['steps']> {
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
export function print(answer: AskOutput, trace: QueryOutput['query']['steps'] | null): void {
  const percent = Math.round(100 * answer.confidence);
  const lines = trace ? [...printTrace(trace), ''] : [];
  if (answer.outcome === 'answered') {
    lines.push(
      answer.answer ?? '',
      '',
      `${percent} % sure · ${answer.credits} credits · query ${answer.queryId}`,
    );
  } else {
    lines.push(answer.answer ?? 'No answer came in time.', '', answer.reason ?? '');
    if (answer.candidate) lines.push(`Best guess, ${percent} % sure: ${answer.candidate}`);
    lines.push(`nothing charged · query ${answer.queryId}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
