import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { type EmbeddedEventStore, launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { CLIENT_USER, NETWORK_USER } from '../../src/messaging/permissions.ts';
import {
  cleanUp,
  dellm,
  freePort,
  newFolder,
  processesOf,
  type Started,
  start,
  until,
} from '../support/dellm-process.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const DEVICE = 'laptop';

let nats: TestNats | undefined;
let store: EmbeddedEventStore | undefined;
afterAll(async () => {
  await nats?.stop();
  await store?.stop();
  await cleanUp();
});

/** As a terminal does it: the process and its children get the signal. */
function pressCtrlC({ child }: Started): void {
  process.kill(-(child.pid ?? 0), 'SIGINT');
}

describe('Ctrl-C during a start', () => {
  it('ends a network whose children have not begun to listen, without an error', async () => {
    const home = newFolder();
    const starting = start(home, ['up', '--port', String(await freePort())]);
    await until(() => starting.err().includes('starting the event store'), 'the first step');
    pressCtrlC(starting);
    const { code, stderr } = await starting.ended;
    expect(stderr).not.toContain('dellm:');
    expect(code).toBe(EXIT.interrupted);
    expect(await processesOf(home)).toEqual([]);
  });
});

describe('roles in separate processes', () => {
  it('stop on Ctrl-C while they wait for another role', async () => {
    const broker = await startTestNats();
    const history = await launchEmbeddedEventStore({ file: join(newFolder(), 'history.sqlite') });
    const url = `nats://${NETWORK_USER}:${broker.passwordOf(NETWORK_USER)}@127.0.0.1:${broker.port}`;
    const fleet = start(newFolder(), ['run', 'fleet', '--nats', url, '--store', history.connectionString]);
    await until(() => fleet.err().includes('the read model does not answer'), 'a fleet without a projector');
    pressCtrlC(fleet);
    expect((await fleet.ended).code).toBe(EXIT.interrupted);
    await history.stop();
    await broker.stop();
  });

  it('form a network that starts, answers, and stops in order; the agent needs only the broker', async () => {
    const broker = await startTestNats({ devices: [DEVICE] });
    nats = broker;
    const folder = newFolder();
    const history = await launchEmbeddedEventStore({ file: join(folder, 'history.sqlite') });
    store = history;
    const urlOf = (user: string) => `nats://${user}:${broker.passwordOf(user)}@127.0.0.1:${broker.port}`;
    const network = ['--json', '--nats', urlOf(NETWORK_USER), '--store', history.connectionString];
    const home = newFolder();
    // The agent comes first, before there is a network that it could join.
    const roles: Started[] = [
      start(newFolder(), ['run', 'agent', '--json', '--device', DEVICE, '--nats', urlOf(`agent-${DEVICE}`)]),
      start(home, ['run', 'projector', ...network]),
      start(newFolder(), ['run', 'relay', ...network]),
      start(newFolder(), ['run', 'gateway', ...network]),
      start(newFolder(), ['run', 'fleet', '--genesis', DEVICE, ...network]),
    ];
    await until(() => roles.every((role) => role.out().includes('\n')), 'all roles');

    const asClient = { NATS_URL: urlOf(CLIENT_USER) };
    const deadline = Date.now() + 90_000;
    for (;;) {
      const { stdout, stderr } = await dellm(newFolder(), ['status', '--json'], asClient);
      const status = stdout === '' ? null : JSON.parse(stdout);
      if (status?.nodes === 50 && status.clusters === 5 && status.devices.length === 1) break;
      if (Date.now() > deadline)
        throw new Error(`${stdout}${stderr}${roles.map((role) => role.err()).join('')}`);
    }
    const asked = await dellm(newFolder(), ['ask', '--json', 'What is 15 × 23?'], asClient);
    expect(asked.code, asked.stderr + roles.map((role) => role.err()).join('')).toBe(EXIT.ok);
    expect(JSON.parse(asked.stdout)).toMatchObject({ outcome: 'answered', answer: '345' });

    for (const role of roles) role.child.kill('SIGTERM');
    const ends = await Promise.all(roles.map((role) => role.ended));
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => EXIT.ok));
  });
});
