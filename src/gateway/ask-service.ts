import { randomUUID } from 'node:crypto';
import type { NatsConnection } from 'nats';
import type { AccountCommand } from '../events/account.ts';
import { decodeJson, encodeJson } from '../events/envelope.ts';
import { QUERY_ENDINGS } from '../events/query.ts';
import { type RefusalCode, Reply } from '../events/reply.ts';
import type { StoredEvent } from '../eventstore/port.ts';
import { EndpointError, type ErrorCode } from '../messaging/endpoint-error.ts';
import { publisher, sendCommand } from '../messaging/publish.ts';
import { type Endpoint, endpoint, type RequestContext } from '../messaging/service.ts';
import { GATEWAY_INBOX } from '../messaging/subjects.ts';
import { CreditsOutput } from '../projections/credits.ts';
import { QueryOutput } from '../projections/query-trace.ts';
import * as schemas from './schemas.ts';

export interface AskOptions {
  readonly nc: NatsConnection;
  /** The account that pays if the request names none. */
  readonly defaultAccount: string;
  readonly onStatus: (message: string) => void;
}

export interface AskService {
  readonly endpoints: readonly Endpoint[];
  stop(): void;
}

/** In milliseconds. The ending arrives a moment after the query's deadline. */
const GRACE_MS = 3_000;

/**
 * In milliseconds. A reply is a plain message and can be lost with a process, so the read model is asked at
 * this interval, too.
 */
const LOOK_EVERY_MS = 3_000;

const READ_TIMEOUT_MS = 2_000;

/**
 * How long a stream waits with the ending for the steps before it, which are published after they are stored.
 * In milliseconds.
 */
const STEPS_GRACE_MS = 3_000;

/** Most questions that one gateway handles at the same time. */
const MAX_IN_FLIGHT = 1_024;

const ERROR_CODES: Readonly<Record<RefusalCode, ErrorCode>> = {
  'unknown-account': 'not-found',
  'no-credits': 'no-credits',
  'too-late': 'timeout',
  conflict: 'conflict',
};

/** The endpoints that change something: asking, and opening an account. */
export function askService({ nc, defaultAccount, onStatus }: AskOptions): AskService {
  const publish = publisher(nc);
  const inbox = `${GATEWAY_INBOX}.${randomUUID().replaceAll('-', '')}`;
  const waiting = new Map<string, { readonly queryId: string; readonly resolve: (reply: Reply) => void }>();
  const followers = new Map<string, Set<(event: StoredEvent) => void>>();
  const replies = nc.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error) return;
      const asker = waiting.get(message.subject.slice(inbox.length + 1));
      const reply = Reply.safeParse(decodeOrNull(message.data));
      if (reply.success && reply.data.queryId === asker?.queryId) asker.resolve(reply.data);
    },
  });
  const events = nc.subscribe('dellm.evt.>', {
    callback: (error, message) => {
      if (error || followers.size === 0) return;
      const event = decodeOrNull(message.data) as StoredEvent | null;
      for (const follow of followers.get(String(event?.metadata.correlationId)) ?? [])
        if (event) follow(event);
    },
  });

  async function send(account: string, command: AccountCommand, correlationId: string): Promise<void> {
    const messageId = randomUUID();
    const ids = { messageId, correlationId, causationId: messageId };
    try {
      await sendCommand(publish, { to: { kind: 'account', id: account }, command, ...ids });
    } catch (cause) {
      onStatus(`a question could not be sent to the network: ${String(cause)}`);
      throw new EndpointError(
        'unavailable',
        'The network did not accept the question: its message broker gave no answer.',
        {
          cause,
          hint: 'Ask again with the same queryId: if it was accepted after all, it is charged once.',
        },
      );
    }
  }

  /** The query as the read model has it; null if it has none. */
  async function look(queryId: string): Promise<QueryOutput['query'] | null> {
    try {
      const answer = await nc.request('dellm.query', encodeJson({ queryId, steps: false }), {
        timeout: READ_TIMEOUT_MS,
      });
      const parsed = QueryOutput.safeParse(decodeJson(answer.data));
      return parsed.success ? parsed.data.query : null;
    } catch {
      // No reader answers at the moment. The reply will arrive anyway.
      return null;
    }
  }

  /** The ending of a query that was asked before; null if it has none yet. */
  async function knownEnding(input: schemas.AskInput): Promise<schemas.AskOutput | null> {
    const { queryId, question } = input;
    const known = queryId === undefined ? null : await look(queryId);
    if (known && known.question !== question && !known.question.endsWith('…')) {
      throw new EndpointError('conflict', `"${queryId}" is the id of another question. Nothing was asked.`, {
        hint: 'Take a new id for a new question.',
      });
    }
    return known?.result ?? null;
  }

  async function ask(
    input: schemas.AskInput,
    queryId: string,
    { signal }: RequestContext,
  ): Promise<schemas.AskOutput> {
    const account = input.account ?? defaultAccount;
    const token = randomUUID().replaceAll('-', '');
    const dueAt = new Date(Date.now() + input.timeoutMs).toISOString();
    const request = {
      queryId,
      question: input.question,
      stakes: input.stakes,
      replyTo: `${inbox}.${token}`,
      dueAt,
    };
    const command: AccountCommand = {
      type: 'ReserveCredits',
      data: { transferId: randomUUID(), account, request },
    };
    const until = AbortSignal.any([signal, AbortSignal.timeout(input.timeoutMs + GRACE_MS)]);
    let giveUp = (): void => {};
    const reply = new Promise<Reply>((resolve, reject) => {
      waiting.set(token, { queryId, resolve });
      giveUp = () => reject(stillRunning(queryId));
      if (until.aborted) giveUp();
      until.addEventListener('abort', giveUp, { once: true });
    });
    const lookout = setInterval(() => {
      void look(queryId).then((query) => query?.result && waiting.get(token)?.resolve(query.result));
    }, LOOK_EVERY_MS);
    try {
      const [ending] = await Promise.all([reply, send(account, command, queryId)]);
      if ('error' in ending) {
        const { code, message, hint } = ending.error;
        throw new EndpointError(ERROR_CODES[code], message, { hint });
      }
      return ending;
    } finally {
      clearInterval(lookout);
      waiting.delete(token);
      // Otherwise the signal keeps everything here in memory until its time is over.
      until.removeEventListener('abort', giveUp);
    }
  }

  async function* askStream(
    input: schemas.AskInput,
    context: RequestContext,
  ): AsyncGenerator<schemas.AskStreamItem> {
    const queryId = input.queryId ?? randomUUID();
    const queue: schemas.AskStreamItem[] = [];
    let wake = (): void => {};
    /** Whether all steps have arrived: the step of the ending was heard, or there are none to wait for. */
    let complete = false;
    const follow = ({ type, stream, revision, position, data }: StoredEvent): void => {
      queue.push({ step: { type, stream, revision, position, data: { ...data } } });
      complete ||= (QUERY_ENDINGS as readonly string[]).includes(type);
      wake();
    };
    const set = followers.get(queryId) ?? new Set();
    followers.set(queryId, set.add(follow));
    const asking = knownEnding(input).then((known) => {
      complete ||= known !== null;
      return known ?? ask(input, queryId, context);
    });
    let outcome: { ending: schemas.AskOutput } | { error: unknown } | null = null;
    let patience: NodeJS.Timeout | undefined;
    const settled = asking
      .then((ending) => {
        outcome = { ending };
        // The reply takes another, shorter way than the steps, which were recorded with it.
        patience = setTimeout(() => {
          complete = true;
          wake();
        }, STEPS_GRACE_MS);
      })
      .catch((error: unknown) => {
        outcome = { error };
      })
      .finally(() => wake());
    try {
      for (;;) {
        const item = queue.shift();
        if (item) {
          yield item;
          continue;
        }
        const done = outcome as { ending: schemas.AskOutput } | { error: unknown } | null;
        if (done && 'error' in done) throw done.error;
        if (done && complete) {
          yield { ending: done.ending };
          return;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      set.delete(follow);
      if (set.size === 0) followers.delete(queryId);
      await settled;
      clearTimeout(patience);
    }
  }

  const endpoints = [
    endpoint({
      name: 'ask',
      subject: 'dellm.ask',
      description: 'Asks the network a question and waits for its answer',
      input: schemas.AskInput,
      output: schemas.AskOutput,
      maxInFlight: MAX_IN_FLIGHT,
      handle: async (input, context) =>
        (await knownEnding(input)) ?? ask(input, input.queryId ?? randomUUID(), context),
    }),
    endpoint({
      name: 'ask-stream',
      subject: 'dellm.ask.stream',
      description:
        'Asks the network a question and sends every step as it happens, then the answer, then an empty message',
      input: schemas.AskInput,
      output: schemas.AskStreamItem,
      streaming: true,
      maxInFlight: MAX_IN_FLIGHT,
      handle: askStream,
    }),
    endpoint({
      name: 'open-account',
      subject: 'dellm.accounts.open',
      description: 'Opens an account with the welcome grant; an open account does not change',
      input: schemas.OpenAccountInput,
      output: schemas.OpenAccountOutput,
      async handle({ account }, { signal }) {
        await send(account, { type: 'OpenAccount', data: { account } }, `account-${account}`);
        return { account, available: await untilOpen(nc, account, signal) };
      },
    }),
  ];
  return {
    endpoints,
    stop() {
      replies.unsubscribe();
      events.unsubscribe();
    },
  };
}

/** The balance of an account in credits, as soon as the read model has it. */
async function untilOpen(nc: NatsConnection, account: string, signal: AbortSignal): Promise<number> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && !signal.aborted) {
    const answer = await nc
      .request('dellm.credits', encodeJson({ account }), { timeout: READ_TIMEOUT_MS })
      .catch(() => null);
    const parsed = CreditsOutput.safeParse(answer && decodeJson(answer.data));
    if (parsed.success && parsed.data.accounts[0]) return parsed.data.accounts[0].available;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new EndpointError(
    'timeout',
    `The account "${account}" is being opened, but the read model does not show it yet.`,
    {
      hint: 'Read dellm.credits in a moment.',
    },
  );
}

function stillRunning(queryId: string): EndpointError {
  return new EndpointError(
    'timeout',
    `No answer came in time. The query "${queryId}" continues and will have its ending.`,
    {
      hint: `Read it with dellm.query, or ask again with the queryId "${queryId}": it is charged once.`,
    },
  );
}

function decodeOrNull(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes);
  } catch {
    return null;
  }
}
