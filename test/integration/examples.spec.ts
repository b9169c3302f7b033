import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { decodeJson, encodeJson } from '../../src/events/envelope.ts';
import { HTTP_STATUS } from '../../src/messaging/endpoint-error.ts';
import { type LiveNetwork, startLiveNetwork } from '../support/live-network.ts';
import { PUBLIC_SUBJECTS } from '../support/public-subjects.ts';

const docs = join(import.meta.dirname, '../../docs');
const BIN = join(import.meta.dirname, '../../bin/dellm.js');
const page = readFileSync(join(docs, 'services.md'), 'utf8');

/** Values that differ between runs. Only their type is compared. */
const VOLATILE = new Set([
  'position',
  'confidence',
  'accounts',
  'treasury',
  'answered',
  'answers',
  'trust',
  'score',
  'correctness',
  'latencyMs',
  'uptime',
  'next',
  'mutualInformation',
  'normalised',
  'expectedByChance',
  'rightAnswers',
]);

interface Example {
  readonly subject: string;
  readonly request: object;
  readonly answer: unknown;
}

function examplesOf(text: string): Example[] {
  const blocks = /```json request (\S+)\n([\s\S]*?)```\n```json answer\n([\s\S]*?)```/g;
  return [...text.matchAll(blocks)].map(([, subject = '', request = '', answer = '']) => ({
    subject,
    request: JSON.parse(request),
    answer: JSON.parse(answer),
  }));
}

/** What an answer must look like to match the page. */
function expected(shown: unknown, key = ''): unknown {
  if (shown === '…') return expect.any(String);
  if (typeof shown === 'number' && VOLATILE.has(key)) return expect.any(Number);
  if (key === 'next' && typeof shown === 'string') return expect.any(String);
  if (key === 'next' || key === 'candidate')
    return expect.toSatisfy((value) => value === null || value !== '');
  if (Array.isArray(shown)) return expect.arrayContaining(shown.map((item) => expected(item)));
  if (typeof shown !== 'object' || shown === null) return shown;
  return expect.objectContaining(
    Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, expected(value, name)])),
  );
}

let network: LiveNetwork;
beforeAll(async () => {
  network = await startLiveNetwork();
});
afterAll(() => network?.stop());

async function firstAnswer(subject: string, request: object): Promise<unknown> {
  const nc = await network.connect();
  const messages = await nc.requestMany(subject, encodeJson(request), {
    strategy: 'count',
    maxMessages: 1,
    maxWait: 70_000,
  });
  for await (const { data } of messages) return decodeJson(data);
  throw new Error(`${subject} did not answer`);
}

/** An answer from a projection may take a moment, and a settlement follows the reply. */
async function eventually(example: Example): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const answer = await firstAnswer(example.subject, example.request);
    try {
      expect(answer).toEqual(expected(example.answer));
      return;
    } catch (error) {
      const once = ['dellm.ask', 'dellm.ask.stream', 'dellm.accounts.open'].includes(example.subject);
      if (once || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

describe('the page of services', () => {
  const examples = examplesOf(page);

  it.each(examples.map((example, i) => [i + 1, example.subject, example] as const))(
    'has a correct example %i, of %s',
    async (_number, _subject, example) => eventually(example),
    90_000,
  );

  it('has every endpoint, with an example', () => {
    const shown = new Set(examples.map(({ subject }) => subject));
    for (const subject of PUBLIC_SUBJECTS) {
      expect(page).toContain(`## ${subject}\n`);
      expect([...shown]).toContain(subject);
    }
  });

  it('has every error with its code', () => {
    for (const [code, number] of Object.entries(HTTP_STATUS))
      expect(page).toContain(`| \`${code}\` | ${number} |`);
  });

  it('names every property that a request may have', async () => {
    const { endpoints } = (await firstAnswer('dellm.schemas', {})) as {
      endpoints: { subject: string; request: { properties: object } }[];
    };
    for (const { subject, request } of endpoints) {
      for (const property of Object.keys(request.properties)) {
        expect(page, `${subject}: ${property}`).toMatch(new RegExp(`[\`"]${property}[\`"]`));
      }
    }
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe('the page of the command line', () => {
  const cli = readFileSync(join(docs, 'cli.md'), 'utf8');

  it('has every command', async () => {
    const help = await run(process.execPath, [BIN, '--help']);
    const commands = [...help.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name ?? '');
    expect(commands.length).toBeGreaterThan(12);
    for (const name of commands.filter((name) => name !== 'help')) {
      expect(cli, name).toMatch(new RegExp(`^\\| \`${name}\\b`, 'm'));
    }
  });

  it('has every exit code', () => {
    for (const code of Object.values(EXIT)) expect(cli).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});

describe('the examples', () => {
  it('in JavaScript asks, and shows the steps', async () => {
    const out = await run(process.execPath, ['ask.mjs', 'What is 15 × 23?', network.natsUrl]);
    const [answer = '', ...steps] = out.trim().split('\n');
    expect(JSON.parse(answer)).toMatchObject({ outcome: 'answered', answer: '345' });
    expect(steps).toContain('step VoteCast');
    expect(steps.at(-1)).toBe('ending answered');
  });

  it.skipIf(!hasPython)(
    'in Python (if python3 is installed) asks with only the standard library',
    async () => {
      const out = await run('python3', [
        'ask.py',
        'What is 15 × 23?',
        network.natsUrl.replace('nats://', ''),
      ]);
      expect(JSON.parse(out)).toMatchObject({ outcome: 'answered', answer: '345' });
    },
  );

  it.skipIf(!hasPython)('in Python (if python3 is installed) shows an error of the network', async () => {
    const failed = run('python3', ['ask.py', ' ', network.natsUrl.replace('nats://', '')]);
    await expect(failed).rejects.toThrow('bad-request');
  });
});

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: join(docs, 'examples'), timeout: 80_000, encoding: 'utf8' } as const;
    execFile(command, args, options, (error, stdout, stderr) =>
      error ? reject(new Error(`${command}: ${stderr}`, { cause: error })) : resolve(stdout),
    );
  });
}
