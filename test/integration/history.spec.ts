import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { decodeJson, uuidOf } from '../../src/events/envelope.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type * as schemas from '../../src/gateway/schemas.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { SPECIES } from '../../src/inference/species.ts';
import type { TrustOutput } from '../../src/projections/trust.ts';
import { cleanUp, dellm, newFolder } from '../support/dellm-process.ts';
import { type LiveNetwork, startLiveNetwork } from '../support/live-network.ts';

// A whole network, and commands in other processes.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const QUESTIONS = ['What is 15 × 23?', 'What is 7 × 8?', 'What is 12 × 12?'];
const ANSWERS = ['345', '56', '144'];

let network: LiveNetwork;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'dellm-history-'));
  network = await startLiveNetwork({
    engine: createInstantEngine({
      answers: new Map(QUESTIONS.map((question, index) => [question, ANSWERS[index] ?? ''])),
      errorRates: new Map(
        SPECIES.flatMap(({ miniature }) => miniature.pair.map((model) => [model, 0] as const)),
      ),
      seed: 1,
    }),
  });
  for (const question of QUESTIONS) await network.request('dellm.ask', { question });
});
afterAll(async () => {
  await network?.stop();
  await cleanUp();
  rmSync(scratch, { recursive: true, force: true });
});

/** Position of the last event so far. */
async function lastPosition(): Promise<number> {
  const page = (await network.request('dellm.history', {
    direction: 'backwards',
    limit: 1,
  })) as schemas.HistoryOutput;
  return page.events[0]?.position ?? expect.fail('there is no history');
}

describe('the history over NATS', () => {
  it('shows rows at a moment, page by page, equal to the read model', async () => {
    const position = await lastPosition();
    const live = (await network.request('dellm.trust', {
      limit: 500,
      minPosition: position,
    })) as TrustOutput;
    const keys: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = (await network.request('dellm.history.at', {
        moment: String(position),
        show: 'network',
        limit: 20,
        ...(after && { after }),
      })) as schemas.HistoryAtOutput;
      keys.push(...page.rows.map(({ key }) => key));
      expect(page.last?.position).toBe(position);
      if (page.next === null) break;
      after = page.next;
    }
    expect(keys).toEqual(live.rows.map(({ key }) => key));
  });

  it('shows how rows changed between two moments', async () => {
    const first = (await network.request('dellm.history', { limit: 1 })) as schemas.HistoryOutput;
    // No Cluster has opened a generation, so all events are before the first one.
    for (const to of ['end', 'generation:0']) {
      const { changes } = (await network.request('dellm.history.diff', {
        from: String(first.events[0]?.position),
        to,
        show: 'credits',
      })) as schemas.HistoryDiffOutput;
      expect(changes).toContainEqual(expect.objectContaining({ key: 'totals', change: 'added' }));
    }
  });

  it('shows the life of a Node', async () => {
    const { life } = (await network.request('dellm.history.why', {
      node: 'mathematical-01',
    })) as schemas.HistoryWhyOutput;
    expect(life).toMatchObject({
      node: 'mathematical-01',
      born: { cause: 'genesis' },
      parents: [],
      end: null,
    });
    expect(await network.request('dellm.history.why', { node: 'mathematical-1' })).toMatchObject({
      error: { code: 'not-found', message: expect.stringMatching(/Did you mean .*"mathematical-01"/) },
    });
  });

  it('is verified, and so are the rows of the read model', async () => {
    const found = (await network.request('dellm.history.verify', {}, 30_000)) as schemas.HistoryVerifyOutput;
    expect(found).toMatchObject({ ok: true, faults: [], stopped: null, rows: { differences: [] } });
    expect(found.rows?.compared).toBeGreaterThan(50);
  });

  it('refuses moments that do not exist, and unknown rows', async () => {
    const ask = (moment: string, show = 'trust') => network.request('dellm.history.at', { moment, show });
    expect(await ask('999999999')).toMatchObject({
      error: { code: 'bad-request', message: expect.stringContaining('its last event is at') },
    });
    expect(await ask('generation:9')).toMatchObject({
      error: { code: 'bad-request', message: expect.stringContaining('has not ended') },
    });
    expect(await ask('yesterday')).toMatchObject({ error: { code: 'bad-request' } });
    expect(await ask('end', 'secrets')).toMatchObject({ error: { code: 'bad-request' } });
  });

  it('handles one request at a time, and says so to the others', async () => {
    const asked = Array.from({ length: 8 }, () => network.request('dellm.history.verify', {}, 30_000));
    const codes = (await Promise.all(asked)).map((answer) =>
      'error' in (answer as object) ? (answer as { error: { code: string } }).error.code : 'done',
    );
    expect(codes).toContain('done');
    expect(codes).toContain('busy');
    expect(new Set(codes)).toEqual(new Set(['done', 'busy']));
  });

  it('does not show the answer of a gold task before it is due, in requests or events', async () => {
    const client: NatsConnection = await network.connect();
    const heard = client.subscribe('dellm.evt.cluster.nowhere.*', { max: 2 });
    await client.flush();
    const store = await connectEventStore(network.storeUrl);
    const issue = (revision: number, dueAt: string) => ({
      id: uuidOf('gold', revision),
      type: 'GoldTaskIssued',
      data: {
        taskId: `gold-${revision}`,
        node: 'nobody',
        task: {
          prompt: 'What is 6 × 7?',
          taskType: 'math.arithmetic',
          expected: { kind: 'answer', value: 'forty-two' },
        },
        dueAt,
        reason: 'mixed-in',
        draws: [],
        at: '2030-01-01T00:00:00.000Z',
      },
      metadata: { schemaVersion: 2 },
    });
    await store.append(
      'cluster-nowhere',
      [issue(0, '2999-01-01T00:00:00.000Z'), issue(1, '2000-01-01T00:00:00.000Z')],
      'no-stream',
    );
    await store.close();
    const bodies: unknown[] = [];
    const omitted: (string | undefined)[] = [];
    for await (const message of heard) {
      bodies.push(decodeJson(message.data));
      omitted.push(message.headers?.get('Dellm-Omitted'));
    }
    expect(bodies[0]).toMatchObject({ data: { task: { prompt: 'What is 6 × 7?', expected: null } } });
    expect(bodies[1]).toMatchObject({ data: { task: { expected: { value: 'forty-two' } } } });
    expect(omitted).toEqual(['data.task.expected', '']);
    const page = (await network.request('dellm.history', {
      stream: 'cluster-nowhere',
    })) as schemas.HistoryOutput;
    expect(JSON.stringify(page.events[0])).not.toContain('forty-two');
    expect(page.events[0]).toMatchObject({ omitted: 'data.task.expected' });
    expect(JSON.stringify(page.events[1])).toContain('forty-two');
  });
});

describe('the history on the command line', () => {
  const shown = async (args: readonly string[], home = network.home) => {
    const { code, stdout, stderr } = await dellm(home, ['history', ...args, '--json']);
    expect(stderr).toBe('');
    expect(code).toBe(EXIT.ok);
    return JSON.parse(stdout);
  };

  it('shows the network at a moment, from the file of the running network', async () => {
    const { source, last, rows } = await shown(['at', '--end', '--show', 'nodes']);
    expect(source).toBe(join(network.home, 'history.sqlite'));
    expect(rows.nodes).toHaveLength(50);
    const early = await shown(['at', '--event', String(last.position - 1), '--show', 'nodes']);
    expect(early.events).toBeLessThan((await shown(['at', '--end', '--show', 'nodes'])).events);
  });

  it('shows the same rows over the protocol of the store', async () => {
    const file = await shown(['at', '--end', '--show', 'trust']);
    const store = await shown([
      'at',
      '--event',
      String(file.last.position),
      '--show',
      'trust',
      '--store',
      network.storeUrl,
    ]);
    expect(store.rows).toEqual(file.rows);
  });

  it('prints tables for people', async () => {
    const { stdout } = await dellm(network.home, ['history', 'at', '--end', '--show', 'trust']);
    expect(stdout).toMatch(/after \d+ events, up to position \d+/);
    expect(stdout).toMatch(/^key +recent/m);
    const why = await dellm(network.home, ['history', 'why', 'mathematical-01']);
    expect(why.stdout).toMatch(/^born +.* in mathematical, generation 0, by genesis$/m);
    const diff = await dellm(network.home, ['history', 'diff', '1', 'end', '--show', 'credits']);
    expect(diff.stdout).toMatch(/^\+ totals$/m);
  });

  it('is exported without overwriting files, and the export can be read', async () => {
    for (const [format, name] of [
      ['jsonl', 'history.jsonl'],
      ['csv', 'history.csv'],
      ['parquet', 'history.parquet'],
      ['phylogeny', 'phylogeny'],
    ] as const) {
      const out = join(scratch, name);
      await shown(['export', '--format', format, '--out', out]);
      expect(existsSync(out)).toBe(true);
      const again = await dellm(network.home, ['history', 'export', '--format', format, '--out', out]);
      expect(again).toMatchObject({
        code: EXIT.usage,
        stderr: expect.stringContaining('already exists. Nothing was written'),
      });
    }
    const file = join(scratch, 'history.jsonl');
    const end = readFileSync(file, 'utf8').trimEnd().split('\n').length;
    const { last, unit, rows } = await shown(['at', '--end', '--show', 'trust', '--from', file]);
    expect({ unit, line: last.position }).toEqual({ unit: 'line', line: end });
    expect(rows.trust.length).toBeGreaterThan(0);
    expect(readFileSync(join(scratch, 'phylogeny', 'phylogeny.csv'), 'utf8')).toMatch(/^id,ancestor_list,/);
  });

  it('refuses what does not exist, with the exit codes of all commands', async () => {
    const file = join(scratch, 'history.jsonl');
    const refused = async (args: readonly string[]) => {
      const { code, stderr } = await dellm(network.home, ['history', ...args]);
      return `${code}: ${stderr}`;
    };
    expect(await refused(['at', '--event', '99999', '--from', file])).toMatch(
      /^2: dellm: There is no event at line 99999/,
    );
    expect(await refused(['at', '--generation', '7', '--from', file])).toMatch(
      /^2: .*has not ended in any Cluster/,
    );
    expect(await refused(['at', '--from', file])).toMatch(/^2: .*Name one moment/);
    expect(await refused(['at', '--end', '--event', '1', '--from', file])).toMatch(/^2: .*Name one moment/);
    expect(await refused(['at', '--end', '--from', join(scratch, 'none')])).toMatch(
      /^2: .*There is no history at/,
    );
    expect(await refused(['diff', '1', 'yesterday', '--from', file])).toMatch(/^2: .*is not a moment/);
    expect(await refused(['why', 'mathematical-1', '--from', file])).toMatch(
      /^2: .*Did you mean .*"mathematical-01"/,
    );
    const truncated = join(scratch, 'truncated.jsonl');
    writeFileSync(truncated, readFileSync(file, 'utf8').slice(0, -20));
    expect(await refused(['at', '--end', '--from', truncated])).toMatch(
      /^1: dellm: Line \d+ of .* is cut off/,
    );
    const later = join(scratch, 'later.jsonl');
    writeFileSync(later, readFileSync(file, 'utf8').replaceAll('"schemaVersion":2', '"schemaVersion":99'));
    expect(await refused(['at', '--end', '--from', later])).toMatch(
      /^1: dellm: Line 1 of .* schema version 99/,
    );
    expect(await refused(['export', '--out', join(scratch, 'x.jsonl'), '--from', truncated])).toMatch(
      /^1: .*is cut off/,
    );
    expect(existsSync(join(scratch, 'x.jsonl'))).toBe(false);
    expect((await dellm(newFolder(), ['history', 'at', '--end'])).stderr).toMatch(
      /There is no history in the data folder/,
    );
  });

  it('is verified in a copy of the data folder without a network, with all changes found', async () => {
    const home = join(scratch, 'copy');
    cpSync(network.home, home, { recursive: true, filter: (path) => !/(runtime\.json|nats)$/.test(path) });
    // A test above has added an event that belongs to no chain.
    const open = () => new Database(join(home, 'history.sqlite'));
    let database = open();
    database.exec("delete from events where stream = 'cluster-nowhere'");
    database.close();
    const whole = await dellm(home, ['history', 'verify', '--json', '--no-rows']);
    expect(JSON.parse(whole.stdout)).toMatchObject({ ok: true, faults: [], rows: null });

    database = open();
    const judged = database
      .prepare(
        "select stream, revision, position, cast(data as text) as data from events where type = 'PerformanceRecorded' limit 1",
      )
      .get() as { stream: string; revision: number; position: number; data: string };
    const forged = judged.data.replace('"correct":true', '"correct":false');
    expect(forged).not.toBe(judged.data);
    database
      .prepare('update events set data = ? where position = ?')
      .run(Buffer.from(forged), judged.position);
    database.close();
    const { stream, revision, position } = judged;
    const place = { stream, revision, position };
    const found = await dellm(home, ['history', 'verify', '--json']);
    expect(found.code).toBe(EXIT.failed);
    const report = JSON.parse(found.stdout);
    expect(report.faults[0]).toMatchObject({ kind: 'changed', type: 'PerformanceRecorded', ...place });
    // The rows were folded from the original events, so they differ from the changed ones.
    expect(report.rows.differences.length).toBeGreaterThan(0);

    database = open();
    database.exec("delete from events where type = 'NodeBorn' and stream = 'node-coding-03'");
    database.close();
    const missing = JSON.parse((await dellm(home, ['history', 'verify', '--json', '--no-rows'])).stdout);
    expect(missing.ok).toBe(false);
    expect(missing.faults).toContainEqual(
      expect.objectContaining({
        kind: 'missing',
        what: expect.stringMatching(/(BirthConfirmed|NodeAdmitted).* followed/),
      }),
    );
  });
});
