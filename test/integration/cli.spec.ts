import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import {
  BIN,
  cleanUp,
  dellm,
  descendantsOf,
  environment,
  freePort,
  newFolder,
  processes,
  processesOf,
  type Started,
  start,
  until,
  up,
} from '../support/dellm-process.ts';

// Each step starts a whole network in other processes.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const QUESTION = 'What is 15 × 23?';

afterAll(cleanUp);

describe('the command line', () => {
  it('shows its help without a network', async () => {
    const { code, stdout } = await dellm(newFolder(), ['--help']);
    expect(code).toBe(EXIT.ok);
    for (const command of [
      'up',
      'ask',
      'status',
      'nodes',
      'evolution',
      'matrix',
      'trust',
      'credits',
      'query',
      'history',
      'models',
      'run',
      'diagram',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
  });

  it.each([
    [['stauts'], 'Did you mean status?'],
    [['ask'], 'missing required argument'],
    [['ask', '  '], 'must not be empty'],
    [['ask', 'x', '--timeout', '5'], 'whole number'],
    [['ask', 'x', '--query-id', 'a b'], '64'],
    [['nodes', '--limit', '0'], 'whole number'],
    [['nodes', '--colour'], 'unknown option'],
    [['run', 'king'], 'Allowed choices'],
    [['run', 'agent'], '--device'],
    [['run', 'relay', '--device', 'd'], '--device'],
    [['models', 'pull', 'gpt-5'], 'models list'],
    [['diagram', 'brain'], 'Allowed choices'],
    [['up', '--models', 'big'], 'Allowed choices'],
    [['run', 'fleet', '--models', 'public'], '--genesis'],
    [['run', 'relay', '--gpu'], 'agent'],
    [['--port', 'x'], 'whole number'],
  ])('refuses %j', async (args, hint) => {
    const { code, stdout, stderr } = await dellm(newFolder(), args);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain(hint);
  });

  it.each([
    'status',
    'nodes',
    'evolution',
    'matrix',
    'trust',
    'credits',
    'query q',
    'history tail',
    'run relay',
  ])('says of "%s" that no network runs', async (command) => {
    const { code, stderr } = await dellm(newFolder(), command.split(' '));
    expect(code).toBe(EXIT.noNetwork);
    expect(stderr).toContain('dellm up');
  });

  it('says that no broker answers at NATS_URL', async () => {
    const NATS_URL = `nats://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await dellm(newFolder(), ['status'], { NATS_URL });
    expect(code).toBe(EXIT.noNetwork);
    expect(stderr).toContain(NATS_URL);
  });

  it('draws a machine, and prints its definition', async () => {
    const drawn = await dellm(newFolder(), ['diagram', 'verifier']);
    expect(drawn.stdout).toMatch(/^stateDiagram-v2\n/);
    const defined = await dellm(newFolder(), ['diagram', 'verifier', '--json']);
    expect(JSON.parse(defined.stdout)).toMatchObject({ id: 'verifier', initial: 'watching' });
    const page = await dellm(newFolder(), ['diagram']);
    expect(page.stdout).toBe(readFileSync(join(import.meta.dirname, '../../docs/state-charts.md'), 'utf8'));
  });
});

describe('models', () => {
  it('are listed with size, licence, and whether they are installed', async () => {
    const { stdout } = await dellm(newFolder(), ['models', 'list', '--json']);
    const { device, models } = JSON.parse(stdout);
    expect(device.cores).toBeGreaterThan(0);
    const byId = new Map(models.map((model: { id: string }) => [model.id, model]));
    expect(byId.get('maths-a')).toMatchObject({ class: 'miniature', here: true });
    expect(byId.get('phi-2')).toMatchObject({ class: 'public', licence: 'MIT', here: false });
  });

  it('are measured on held-out prompts, until Ctrl-C', async () => {
    const measuring = start(newFolder(), ['models', 'measure', '--json']);
    await until(() => /held-out prompts: \d+ of \d+/.test(measuring.err()), 'the first answers');
    const started = descendantsOf(measuring.child.pid ?? 0, await processes());
    measuring.child.kill('SIGINT');
    const { code, stdout } = await measuring.ended;
    expect([code, stdout]).toEqual([EXIT.interrupted, '']);
    const pids = new Set(started.map(({ pid }) => pid));
    expect((await processes()).filter(({ pid }) => pids.has(pid))).toEqual([]);
  });

  it('are downloaded in pieces: Ctrl-C keeps what has arrived, and the next run continues there', async () => {
    const home = newFolder();
    const head = readFileSync(join(import.meta.dirname, '../../models/miniature/maths-a.gguf'));
    const total = 669e6;
    const ranges: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      ranges.push(request.headers.range);
      if (request.headers.range === undefined) {
        response.writeHead(200, { etag: '"one"', 'content-length': total }).write(head);
        return;
      }
      const from = head.length;
      const range = {
        'content-range': `bytes ${from}-${total - 1}/${total}`,
        'content-length': total - from,
      };
      response.writeHead(206, { etag: '"one"', ...range }).write(head, () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const part = join(home, 'models', 'tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf.part');
      const interrupted = start(home, ['models', 'pull', 'tinyllama-11b'], { HF_ENDPOINT });
      await until(() => existsSync(part) && statSync(part).size === head.length, 'the first bytes');
      interrupted.child.kill('SIGINT');
      const { code, stderr } = await interrupted.ended;
      expect([code, stderr]).toEqual([EXIT.interrupted, expect.stringContaining('Run the command again')]);
      expect(stderr).toContain('of 669 MB');

      const broken = await dellm(home, ['models', 'pull', 'tinyllama-11b', '--json'], { HF_ENDPOINT });
      expect(ranges).toEqual([undefined, `bytes=${head.length}-`]);
      expect([broken.code, broken.stdout]).toEqual([EXIT.failed, '']);
      expect(broken.stderr).toContain('kept');
      // A destroyed connection may lose its last bytes. What arrived before is kept.
      expect(statSync(part).size).toBeGreaterThanOrEqual(head.length);
      expect(statSync(part).size).toBeLessThanOrEqual(2 * head.length);
      // A network can use the folder later.
      expect(existsSync(join(home, 'dellm.json'))).toBe(true);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a network on this machine', () => {
  const home = newFolder();
  const QUERY = 'asked-first';

  it('is started for one question, answers it and stops, leaving nothing behind', async () => {
    const args = ['ask', '--json', '--trace', '--query-id', QUERY, QUESTION];
    const { code, stdout, stderr } = await dellm(home, args);
    expect([code, stdout.split('\n').length], stderr).toEqual([EXIT.ok, 2]);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ queryId: QUERY, outcome: 'answered', answer: '345' });
    expect(answer.trace.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining([
        'SubtaskRouted',
        'ModelAnswered',
        'VoteCast',
        'VerdictReached',
        'QueryAnswered',
      ]),
    );
    expect(await processesOf(home)).toEqual([]);
  });

  describe('that is started again', () => {
    let network: Started;
    beforeAll(async () => {
      network = await up(home);
    });
    afterAll(() => network?.child.kill('SIGKILL'));

    const json = async (...args: string[]) => {
      const { code, stdout, stderr } = await dellm(home, [...args, '--json']);
      expect(code, stderr).toBe(EXIT.ok);
      return JSON.parse(stdout);
    };

    it('is the same network: its Nodes, its credits, its queries', async () => {
      const { query } = await json('query', QUERY);
      expect(query).toMatchObject({ question: QUESTION, status: 'answered', result: { answer: '345' } });
      const { nodes } = await json('nodes', '--limit', '200');
      expect(nodes.length).toBe(50);
      const worker = query.steps.find(({ type }: { type: string }) => type === 'VoteCast').stream;
      const answered = nodes.find(({ id }: { id: string }) => `node-${id}` === worker).answered;
      expect(answered).toBeGreaterThanOrEqual(1);
      const { accounts, balance } = await json('credits', '--account', 'owner');
      expect(accounts).toMatchObject([{ account: 'owner', spent: query.result.credits, reserved: 0 }]);
      expect(balance.accounts + balance.treasury + balance.escrow).toBeCloseTo(0, 6);
      const genesis = await json('status');
      expect(genesis).toMatchObject({
        nodes: 50,
        clusters: 5,
        mode: 'normal',
        trialBalance: 0,
        simulated: [],
      });
    });

    it('shows its evolution', async () => {
      const evolution = await json('evolution');
      expect(evolution).toMatchObject({
        mode: 'normal',
        score: null,
        settings: { strategy: 'evolution', tasksPerGeneration: 100, minTasks: 10 },
        next: null,
      });
      expect(evolution.clusters.length).toBe(5);
      for (const cluster of evolution.clusters) {
        expect(cluster).toMatchObject({ kind: 'specialized', generation: 0, members: 10, last: null });
      }
      expect(evolution.specialization.rightAnswers).toBeGreaterThan(0);
      const first = await json('evolution', '--limit', '2');
      expect([first.clusters.length, typeof first.next]).toEqual([2, 'string']);
      const { stdout } = await dellm(home, ['evolution']);
      expect(stdout).toMatch(/^mode +normal$/m);
      expect(stdout).toMatch(/^generation +100 successful tasks, or 6 h after the first$/m);
      expect(stdout).toMatch(/^mathematical +Mathematical specialist +specialized +0 +10 +– +– +0 +0$/m);
    });

    it('returns a known query when it is asked again with its id, without starting anything', async () => {
      const { stdout, stderr } = await dellm(home, ['ask', '--query-id', QUERY, QUESTION]);
      expect(stdout).toMatch(/^345\n\n\d+ % sure · [\d.]+ credits · query asked-first\n$/);
      expect(stderr).toBe('');
    });

    it('prints tables for people, too', async () => {
      const read = async (...args: string[]) => (await dellm(home, args)).stdout;
      expect(await read('status')).toMatch(/^network +50 Nodes in 5 Clusters\nevolution +mode normal$/m);
      expect(await read('nodes', '--cluster', 'logical', '--limit', '3')).toMatch(
        /^logical-01 .* alive .*\n/m,
      );
      expect(await read('matrix')).toMatch(/math\.arithmetic/);
      expect(await read('trust', '--limit', '60')).toMatch(/^node\/mathematical-\d\d /m);
      expect(await read('credits')).toMatch(/^treasury +-/m);
      const trace = await read('query', QUERY);
      expect(trace).toContain(`${QUESTION}\n├─`);
      expect(trace).toMatch(/│ {5}├─ mathematical-\d\d\n/);
    });

    it('reads pages up to the limit', async () => {
      const { nodes, next } = await json('nodes', '--limit', '7');
      expect([nodes.length, typeof next]).toEqual([7, 'string']);
    });

    it('opens accounts, and refuses unknown ones', async () => {
      expect(await json('credits', 'open', 'guest')).toEqual({ account: 'guest', available: 100 });
      const refused = await dellm(home, ['ask', '--account', 'nobody', QUESTION]);
      expect([refused.code, refused.stdout]).toEqual([EXIT.refused, '']);
      expect(refused.stderr).toContain('nobody');
      expect((await dellm(home, ['query', 'never-asked'])).code).toBe(EXIT.refused);
    });

    it('says that it does not know, also with the exit code', async () => {
      const { code, stdout } = await dellm(home, ['ask', '--json', 'Good morning']);
      expect(code).toBe(EXIT.unknown);
      expect(JSON.parse(stdout)).toMatchObject({ outcome: 'unknown', credits: 0 });
    });

    it('shows its history and new events, until Ctrl-C', async () => {
      const tail = start(home, ['history', 'tail', '--json', '--limit', '3']);
      const shown = () =>
        tail
          .out()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
      await until(() => tail.out().split('\n').length >= 4, 'three events');
      await dellm(home, ['ask', 'What is 2 + 2?']);
      await until(() => tail.out().includes('"QueryAnswered"'), 'new events');
      tail.child.kill('SIGINT');
      expect((await tail.ended).code).toBe(EXIT.ok);
      const positions = shown().map(({ position }) => position);
      expect(positions.length).toBeGreaterThan(8);
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
    });

    it('ends a listing quietly when its reader closes the pipe', async () => {
      const shell = spawn(
        'sh',
        ['-c', `"${process.execPath}" "${BIN}" trust --json --limit 500 | head -c 10`],
        {
          env: environment(home),
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let heard = '';
      for (const stream of [shell.stdout, shell.stderr]) {
        stream.on('data', (bytes: Buffer) => {
          heard += bytes;
        });
      }
      await new Promise((resolve) => shell.once('close', resolve));
      expect(heard).toBe('{"position');
    });

    it('does not share its folder', async () => {
      const { code, stderr } = await dellm(home, ['up']);
      expect(code).toBe(EXIT.failed);
      expect(stderr).toContain(`in use by process ${network.child.pid}`);
      expect((await json('status')).nodes).toBe(50);
    });

    it('is joined by roles in other processes', async () => {
      const fleet = start(home, ['run', 'fleet', '--json']);
      await until(() => fleet.out().includes('\n'), 'the second fleet');
      expect(JSON.parse(fleet.out())).toMatchObject({ role: 'fleet', pid: fleet.child.pid });
      expect((await json('status')).fleets.length).toBe(2);
      expect((await json('ask', QUESTION)).answer).toBe('345');
      fleet.child.kill('SIGTERM');
      expect((await fleet.ended).code).toBe(EXIT.ok);
      expect((await json('ask', QUESTION)).answer).toBe('345');
    });

    it('has no user for an unknown device', async () => {
      const { code, stderr } = await dellm(home, ['run', 'agent', '--device', 'stranger']);
      expect(code).toBe(EXIT.usage);
      expect(stderr).toContain('agent-stranger');
    });

    it('stops at Ctrl-C within seconds, and leaves no process behind', async () => {
      const started = descendantsOf(network.child.pid ?? 0, await processes());
      expect(started.map(({ command }) => command).join('\n')).toMatch(
        /nats-server[\s\S]*worker|worker[\s\S]*nats-server/,
      );
      const before = Date.now();
      network.child.kill('SIGINT');
      const { code, stderr } = await network.ended;
      expect(code, stderr).toBe(EXIT.ok);
      expect(Date.now() - before).toBeLessThan(15_000);
      const pids = new Set(started.map(({ pid }) => pid));
      expect((await processes()).filter(({ pid }) => pids.has(pid))).toEqual([]);
      expect((await dellm(home, ['status'])).code).toBe(EXIT.noNetwork);
    });
  });
});

describe('a start that cannot succeed', () => {
  it('because of a port in use says so, and leaves nothing running', async () => {
    const home = newFolder();
    // An open connection would keep the server from closing.
    const server = createTcpServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await dellm(home, ['up', '--port', String(port)]);
    await new Promise((resolve) => server.close(resolve));
    expect(code).toBe(EXIT.failed);
    expect(stderr).toContain(`port ${port} of 127.0.0.1`);
    expect(await processesOf(home)).toEqual([]);
  });

  it('because of missing public models names those to pull, and starts nothing', async () => {
    const home = newFolder();
    const { code, stdout, stderr } = await dellm(home, ['up', '--models', 'public']);
    expect([code, stdout]).toEqual([EXIT.failed, '']);
    // A device with less than 4 GB of memory uses none.
    expect(stderr).toMatch(/ {2}dellm models pull qwen25-math-15b\n|without --models/);
    expect(readdirSync(home).filter((name) => name !== 'dellm.json' && name !== 'dellm.lock')).toEqual([]);
    expect(await processesOf(home)).toEqual([]);
  });

  it('because of a foreign folder changes nothing', async () => {
    const home = newFolder();
    writeFileSync(join(home, 'thesis.txt'), 'mine');
    const { code, stderr } = await dellm(home, ['ask', QUESTION]);
    expect(code).toBe(EXIT.failed);
    expect(stderr).toContain('thesis.txt');
    expect(readdirSync(home)).toEqual(['thesis.txt']);
  });

  it('because the history is not a database says so, and keeps the file', async () => {
    const home = newFolder();
    await dellm(home, ['ask', QUESTION]);
    const file = join(home, 'history.sqlite');
    writeFileSync(file, 'this is not a database');
    const { code, stderr } = await dellm(home, ['ask', QUESTION]);
    expect(code).toBe(EXIT.failed);
    expect(stderr).toContain('history.sqlite');
    expect(readFileSync(file, 'utf8')).toBe('this is not a database');
    expect(await processesOf(home)).toEqual([]);
  });

  it('ends at Ctrl-C', async () => {
    const home = newFolder();
    const starting = start(home, ['up', '--port', String(await freePort())]);
    await until(() => starting.err().includes('starting the roles'), 'the middle of the start');
    starting.child.kill('SIGINT');
    const { code } = await starting.ended;
    expect([EXIT.interrupted, EXIT.ok]).toContain(code);
    expect(await processesOf(home)).toEqual([]);
  });
});

describe('a model whose file is missing or broken', () => {
  it('gives no answer, and the network says why', async () => {
    const root = join(import.meta.dirname, '../..');
    const copy = newFolder();
    for (const part of ['bin', 'dist', 'scripts', 'models/miniature', 'package.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    rmSync(join(copy, 'models/miniature/maths-a.gguf'));
    writeFileSync(join(copy, 'models/miniature/maths-b.gguf'), 'this is no model');
    const home = newFolder();
    const child = start(
      home,
      ['ask', '--json', '--trace', '--timeout', '20000', QUESTION],
      {},
      join(copy, 'bin/dellm.js'),
    );
    const { code, stdout, stderr } = await child.ended;
    const answer = JSON.parse(stdout);
    expect(answer.answer).not.toBe('345');
    expect(code, stderr).toBe(EXIT.unknown);
    expect(stdout).toMatch(/maths-[ab]/);
    expect(await processesOf(home)).toEqual([]);
  });
});
