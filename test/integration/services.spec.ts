import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJson, encodeJson } from '../../src/events/envelope.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import type { InferenceEngine } from '../../src/inference/port.ts';
import { type LiveNetwork, startLiveNetwork } from '../support/live-network.ts';
import { PUBLIC_SUBJECTS } from '../support/public-subjects.ts';

/** The models never answer this question. */
const SILENT = 'What is 13 × 13?';
const ANSWERS = new Map([
  ['What is 15 × 23?', '345'],
  ['What is 2 + 2?', '4'],
  ['What is 3 + 3?', '6'],
  ['What is the capital of Japan?', 'Tokyo'],
  ['Write a sentence about a cat.', 'The quiet cat waits for the sea.'],
]);
const COMPLEX = 'What is 15 × 23, what is the capital of Japan, and write a sentence about a cat.';
const MODELS = ['maths', 'code', 'logic', 'creative', 'fast'].flatMap((name) => [`${name}-a`, `${name}-b`]);

let network: LiveNetwork;

beforeAll(async () => {
  network = await startLiveNetwork({ engine: simulatedEngine() });
});
afterAll(() => network?.stop());

function simulatedEngine(): InferenceEngine {
  const errorRates = new Map(MODELS.map((model) => [model, 0]));
  const instant = createInstantEngine({ answers: ANSWERS, errorRates, seed: 1 });
  return {
    ...instant,
    infer(request, signal) {
      if (request.prompt !== SILENT) return instant.infer(request, signal);
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
  };
}

interface Refused {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

async function refusal(subject: string, body?: unknown): Promise<Refused['error']> {
  const answer = (await network.request(subject, body)) as Partial<Refused>;
  if (!answer.error) throw new Error(`${subject} answered ${JSON.stringify(answer).slice(0, 200)}`);
  return answer.error;
}

async function get<T>(subject: string, body: object = {}): Promise<T> {
  const answer = (await network.request(subject, body, 30_000)) as T & Partial<Refused>;
  if (answer.error) throw new Error(`${subject}: ${answer.error.code}: ${answer.error.message}`);
  return answer;
}

interface Answer {
  readonly queryId: string;
  readonly outcome: string;
  readonly answer: string | null;
  readonly credits: number;
}
interface Account {
  readonly account: string;
  readonly available: number;
  readonly reserved: number;
  readonly spent: number;
}
interface HistoryPage {
  readonly events: readonly { position: number; stream: string; revision: number; type: string }[];
  readonly next: number | null;
}

/** The account, as soon as none of its credits are held for a query. */
async function settled(account: string): Promise<Account> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { accounts } = await get<{ accounts: Account[] }>('dellm.credits', { account });
    const [found] = accounts;
    if (found && found.reserved === 0) return found;
    if (Date.now() > deadline) throw new Error(`still held: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('bad input', () => {
  const unreadable: [string, unknown][] = [
    ['text that is no JSON', 'What is 2 + 2?'],
    ['half of a JSON object', '{"question":'],
    ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['a number', '5'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a field that nobody knows', { nobodyKnows: 1, queryId: 'q', question: 'x', account: 'a' }],
  ];

  it.each(unreadable)('is refused by every endpoint: %s', async (_what, body) => {
    const answers = await Promise.all(PUBLIC_SUBJECTS.map((subject) => refusal(subject, body)));
    for (const { code, message, hint } of answers) {
      expect(code).toBe('bad-request');
      expect(message).toContain('Nothing was done.');
      expect(hint).toBeTruthy();
    }
  });

  it('of 900 KB is refused by every endpoint', async () => {
    const body = JSON.stringify({ question: 'x'.repeat(900 * 1024) });
    const answers = await Promise.all(PUBLIC_SUBJECTS.map((subject) => refusal(subject, body)));
    expect(answers.map(({ code }) => code)).toEqual(PUBLIC_SUBJECTS.map(() => 'too-large'));
  });

  it('that is empty counts as an empty object, which is enough for endpoints without required fields', async () => {
    for (const subject of ['dellm.ask', 'dellm.ask.stream', 'dellm.query', 'dellm.accounts.open']) {
      expect((await refusal(subject)).code, subject).toBe('bad-request');
    }
    for (const subject of ['dellm.status', 'dellm.nodes', 'dellm.matrix', 'dellm.history', 'dellm.schemas']) {
      expect(await network.request(subject), subject).not.toHaveProperty('error');
    }
  });

  const wrong: [string, object][] = [
    ['dellm.ask', { question: '' }],
    ['dellm.ask', { question: '   ' }],
    ['dellm.ask', { question: 5 }],
    ['dellm.ask', { question: 'x'.repeat(129 * 1024) }],
    ['dellm.ask', { question: 'x', timeoutMs: 0 }],
    ['dellm.ask', { question: 'x', timeoutMs: 1e12 }],
    ['dellm.ask', { question: 'x', timeoutMs: '1000' }],
    ['dellm.ask', { question: 'x', queryId: 'a.b' }],
    ['dellm.ask', { question: 'x', queryId: '>' }],
    ['dellm.ask', { question: 'x', queryId: 'x'.repeat(65) }],
    ['dellm.ask', { question: 'x', account: '' }],
    ['dellm.ask', { question: 'x', stakes: 'highest' }],
    ['dellm.nodes', { limit: 0 }],
    ['dellm.nodes', { limit: 501 }],
    ['dellm.nodes', { all: 'yes' }],
    ['dellm.evolution', { limit: 0 }],
    ['dellm.nodes', { limit: 1.5 }],
    ['dellm.nodes', { limit: -1e308 }],
    ['dellm.history', { after: -2 }],
    ['dellm.history', { after: 2 ** 60 }],
    ['dellm.history', { direction: 'sideways' }],
    ['dellm.history', { stream: '' }],
    ['dellm.status', { minPosition: -1 }],
    ['dellm.credits', { account: 'no spaces' }],
    ['dellm.accounts.open', { account: '../etc' }],
  ];
  it.each(wrong.map(([subject, body]) => [subject, JSON.stringify(body).slice(0, 60), body] as const))(
    '%s refuses %s',
    async (subject, _shown, body) => {
      expect((await refusal(subject, body)).code).toBe('bad-request');
    },
  );

  it('to a stream is answered with the error and the empty message', async () => {
    const nc = await network.connect();
    const messages = await nc.requestMany('dellm.ask.stream', encodeJson({}), {
      strategy: 'sentinel',
      maxWait: 10_000,
    });
    const heard: unknown[] = [];
    for await (const { data } of messages) heard.push(data.length === 0 ? null : decodeJson(data));
    expect(heard).toMatchObject([{ error: { code: 'bad-request' } }, null]);
  });
});

describe('asking', () => {
  it('returns the answer and its price', async () => {
    const answer = await get<Answer>('dellm.ask', { question: 'What is 15 × 23?' });
    expect(answer).toMatchObject({ outcome: 'answered', answer: '345' });
    expect(answer.credits).toBeGreaterThan(0);
  });

  it('is refused for an unknown account, with what to do', async () => {
    const error = await refusal('dellm.ask', { question: 'What is 2 + 2?', account: 'nobody' });
    expect(error.code).toBe('not-found');
    expect(error.hint ?? error.message).toMatch(/open|account/i);
  });

  it('never spends more than the account has, with any number of askers at once', async () => {
    await get('dellm.accounts.open', { account: 'spender' });
    const asked = await Promise.all(
      Array.from({ length: 60 }, () =>
        network.request('dellm.ask', { question: COMPLEX, account: 'spender' }, 60_000),
      ),
    );
    const refused = asked.filter((answer) => (answer as Partial<Refused>).error?.code === 'no-credits');
    const answered = asked.filter((answer) => (answer as Partial<Answer>).outcome !== undefined) as Answer[];
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length + answered.length).toBe(60);
    const account = await settled('spender');
    expect(account.available).toBeGreaterThanOrEqual(0);
    expect(account.spent).toBeCloseTo(
      answered.reduce((sum, { credits }) => sum + credits, 0),
      6,
    );
    expect(account.available).toBeCloseTo(100 - account.spent, 6);
  }, 90_000);

  it('ends at its deadline when no model answers, and costs nothing', async () => {
    await get('dellm.accounts.open', { account: 'patient' });
    const before = Date.now();
    const answer = await get<Answer>('dellm.ask', { question: SILENT, account: 'patient', timeoutMs: 2_000 });
    expect(Date.now() - before).toBeLessThan(15_000);
    // Either the last attempt was given up in time to report it, or the query itself expired.
    expect(['unknown', 'expired']).toContain(answer.outcome);
    expect(answer).toMatchObject({ credits: 0, reason: expect.stringMatching(/./) });
    expect(await settled('patient')).toMatchObject({ available: 100, spent: 0 });
  });

  it('twice with the same queryId, at once or later, gives one query that is charged once', async () => {
    await get('dellm.accounts.open', { account: 'twice' });
    const body = { question: 'What is 2 + 2?', account: 'twice', queryId: 'asked-twice' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => get<Answer>('dellm.ask', body)));
    answers.push(await get<Answer>('dellm.ask', body));
    const [first] = answers;
    expect(first).toMatchObject({ queryId: 'asked-twice', outcome: 'answered', answer: '4' });
    for (const answer of answers) expect(answer).toEqual(first);
    expect(await settled('twice')).toMatchObject({
      spent: first?.credits,
      available: 100 - (first?.credits ?? 0),
    });
  });

  it('with the queryId of another question is a conflict, and nothing is asked', async () => {
    await get('dellm.ask', { question: 'What is 2 + 2?', queryId: 'taken' });
    await queryWithResult('taken');
    const error = await refusal('dellm.ask', { question: 'What is 3 + 3?', queryId: 'taken' });
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('Nothing was asked') });
  });

  it('as a stream sends every step in order, then the ending, then an empty message', async () => {
    const nc = await network.connect();
    const body = encodeJson({ question: 'What is 15 × 23?', queryId: 'streamed' });
    const messages = await nc.requestMany('dellm.ask.stream', body, {
      strategy: 'sentinel',
      maxWait: 20_000,
    });
    const heard: unknown[] = [];
    for await (const { data } of messages) heard.push(data.length === 0 ? null : decodeJson(data));
    expect(heard.at(-1)).toBeNull();
    expect(heard.at(-2)).toMatchObject({
      ending: { queryId: 'streamed', outcome: 'answered', answer: '345' },
    });
    const steps = heard.slice(0, -2) as { step: { type: string; position: number } }[];
    const positions = steps.map(({ step }) => step.position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(steps.map(({ step }) => step.type)).toEqual(
      expect.arrayContaining([
        'CreditsReserved',
        'QueryAsked',
        'SubtaskRouted',
        'VoteCast',
        'VerdictReached',
        'QueryAnswered',
      ]),
    );
  });
});

async function queryWithResult(queryId: string): Promise<{ result: Answer; steps: { type: string }[] }> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = (await network.request('dellm.query', { queryId })) as {
      query?: { result: Answer | null; steps: { type: string }[] };
    };
    if (answer.query?.result) return { ...answer.query, result: answer.query.result };
    if (Date.now() > deadline) throw new Error(`no ending of ${queryId}: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('reading', () => {
  it('returns a query with all its steps', async () => {
    const { queryId } = await get<Answer>('dellm.ask', { question: 'What is 3 + 3?' });
    const { result, steps } = await queryWithResult(queryId);
    expect(result).toMatchObject({ queryId, outcome: 'answered', answer: '6' });
    expect(steps[0]?.type).toBe('CreditsReserved');
    expect(steps.map(({ type }) => type)).toContain('QueryAnswered');
    expect((await refusal('dellm.query', { queryId: 'never-asked' })).code).toBe('not-found');
  });

  it('waits for the requested position', async () => {
    await get('dellm.ask', { question: 'What is 3 + 3?' });
    const { events } = await get<HistoryPage>('dellm.history', { direction: 'backwards', limit: 1 });
    const position = events[0]?.position ?? -1;
    const status = await get<{ position: number }>('dellm.status', { minPosition: position });
    expect(status.position).toBeGreaterThanOrEqual(position);
    const error = await refusal('dellm.status', { minPosition: Number.MAX_SAFE_INTEGER });
    expect(error).toMatchObject({ code: 'timeout', hint: expect.stringContaining('minPosition') });
  });

  it('pages through all Nodes, each once', async () => {
    const found: string[] = [];
    for (let after: string | null = null; ; ) {
      const page: { nodes: { id: string }[]; next: string | null } = await get('dellm.nodes', {
        limit: 7,
        ...(after && { after }),
      });
      expect(page.nodes.length).toBeLessThanOrEqual(7);
      found.push(...page.nodes.map(({ id }) => id));
      if (page.next === null) break;
      after = page.next;
    }
    expect(found.length).toBe(50);
    expect(new Set(found).size).toBe(50);
    const { nodes } = await get<{ nodes: { id: string }[] }>('dellm.nodes', {
      limit: 500,
      cluster: 'logical',
    });
    expect(nodes.length).toBe(10);
  });

  it.each([{}, { stream: 'genesis-main' }])(
    'pages through the history in both directions: %o',
    async (filter) => {
      async function all(direction: string, limit: number): Promise<string[]> {
        const found: string[] = [];
        for (let after: number | null = null; ; ) {
          const page: HistoryPage = await get('dellm.history', {
            ...filter,
            direction,
            limit,
            ...(after !== null && { after }),
          });
          found.push(...page.events.map(({ stream, revision }) => `${stream}#${revision}`));
          // New events may be added at the end while we read. The first ones do not change.
          if (page.next === null || found.length >= 300) return found;
          after = page.next;
        }
      }
      const [wide, narrow] = [await all('forwards', 500), await all('forwards', 9)];
      expect(narrow.slice(0, 50)).toEqual(wide.slice(0, 50));
      expect(new Set(wide).size).toBe(wide.length);
      if (filter.stream) {
        expect(wide).toEqual(wide.map((_, revision) => `${filter.stream}#${revision}`));
        expect(await all('backwards', 9)).toEqual([...wide].reverse());
      }
    },
  );

  it('shows a trial balance of 0', async () => {
    const { trialBalance } = await get<{ trialBalance: number }>('dellm.status');
    expect(trialBalance).toBe(0);
  });

  it('shows evolution and the living Nodes', async () => {
    interface Evolution {
      readonly mode: string;
      readonly settings: { readonly strategy: string };
      readonly clusters: readonly { readonly cluster: string; readonly members: number }[];
      readonly next: string | null;
    }
    const all = await get<Evolution>('dellm.evolution');
    expect(all).toMatchObject({ mode: 'normal', settings: { strategy: 'evolution' }, next: null });
    const names = all.clusters.map(({ cluster }) => cluster);
    expect(names).toEqual(['coding', 'creative', 'factual', 'logical', 'mathematical']);
    const page = await get<Evolution>('dellm.evolution', { limit: 2 });
    const rest = await get<Evolution>('dellm.evolution', { limit: 3, after: page.next });
    expect([...page.clusters, ...rest.clusters].map(({ cluster }) => cluster)).toEqual(names);
    const { nodes } = await get<{ nodes: { status: string; parents: string[] }[] }>('dellm.nodes', {
      limit: 500,
      all: true,
    });
    for (const node of nodes) expect(node).toMatchObject({ status: 'alive', parents: [] });
  });

  it('says that its models are simulated', async () => {
    const { devices, simulated } = await get<{ devices: string[]; simulated: string[] }>('dellm.status');
    expect(simulated).toEqual(devices);
  });
});

describe('the services', () => {
  it('are found by the discovery of NATS services', async () => {
    const nc = await network.connect();
    const messages = await nc.requestMany('$SRV.PING', '', { strategy: 'stall', maxWait: 5_000 });
    const names: string[] = [];
    for await (const { data } of messages) names.push((decodeJson(data) as { name: string }).name);
    expect(names.sort()).toEqual(['dellm-gateway', 'dellm-read']);
  });

  it('publish the schemas of all public requests and answers', async () => {
    const { endpoints } = await get<{ endpoints: { subject: string; request: object; response: object }[] }>(
      'dellm.schemas',
    );
    const subjects = endpoints.map(({ subject }) => subject).sort();
    expect(subjects).toEqual(PUBLIC_SUBJECTS.filter((subject) => subject !== 'dellm.schemas').sort());
    for (const { request, response } of endpoints) {
      expect([request, response]).toEqual([expect.any(Object), expect.any(Object)]);
    }
  });

  it('are all that a client may reach: it cannot send a command to an actor', async () => {
    const nc = await network.connect();
    const refused = new Promise<string>((resolve, reject) => {
      const watch = async (): Promise<void> => {
        for await (const status of nc.status()) {
          if (status.type === 'error') resolve(status.error.message);
        }
      };
      watch().catch(reject);
    });
    nc.publish('dellm.cmd.0.account.owner', '{}');
    expect(await refused).toMatch(/permissions violation.*dellm\.cmd\.0\.account\.owner/i);
  });
});
