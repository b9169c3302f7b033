import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { connectNats } from '../../src/messaging/connection.ts';
import { NatsAccessError, NatsUnavailableError, PortTakenError } from '../../src/messaging/errors.ts';
import { launchNatsServer } from '../../src/messaging/nats-server.ts';
import type { NatsUser } from '../../src/messaging/permissions.ts';
import { loadNatsUsers, usersFile } from '../../src/messaging/users.ts';
import type { TestNats } from '../support/nats.ts';
import { startTestNats } from '../support/nats.ts';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the embedded nats-server', () => {
  let nats: TestNats | undefined;
  afterEach(async () => {
    await nats?.stop();
    nats = undefined;
  });

  it('makes its configuration and passwords readable by its user only, and keeps passwords over restarts', async () => {
    nats = await startTestNats({ devices: ['laptop'] });
    for (const file of [join(nats.dataDir, 'nats-server.conf'), usersFile(nats.dataDir)]) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    const again = await loadNatsUsers(nats.dataDir, ['laptop']);
    expect(again).toEqual(nats.users);
  });

  it('says what to do when its passwords file is invalid', async () => {
    nats = await startTestNats();
    await writeFile(usersFile(nats.dataDir), '{"network": 7');
    await expect(loadNatsUsers(nats.dataDir, [])).rejects.toThrow(
      /nats-users\.json does not contain.*Delete the file/,
    );
  });

  it('treats a connection without a user as a client, and refuses a wrong password', async () => {
    nats = await startTestNats();
    const anonymous = await connectNats({ url: nats.url, name: 'anonymous' });
    expect(anonymous.info?.max_payload).toBe(1024 ** 2);
    await anonymous.close();
    const refused = connectNats({ url: nats.url, user: 'network', password: 'wrong', name: 'thief' });
    await expect(refused).rejects.toThrow(NatsAccessError);
    await expect(refused).rejects.toThrow(/refused the user "network"/);
    const inUrl = nats.url.replace('//', `//network:${nats.passwordOf('network')}@`);
    const named = await connectNats({ url: inUrl, name: 'by address' });
    await named.close();
  });

  it('accepts new users while it runs, without a restart', async () => {
    nats = await startTestNats();
    const kept = await nats.connect();
    const [first, ...others] = await loadNatsUsers(nats.dataDir, ['phone']);
    if (first === undefined) throw new Error('the server has no user');
    const users: [NatsUser, ...NatsUser[]] = [first, ...others];
    await nats.server().setUsers(users);
    const password = users.find(({ user }) => user === 'agent-phone')?.password ?? '';
    const url = nats.url;
    await expect
      .poll(async () => {
        const agent = await connectNats({ url, user: 'agent-phone', password, name: 'phone' }).catch(
          () => null,
        );
        await agent?.close();
        return agent !== null;
      })
      .toBe(true);
    expect(kept.stats().outMsgs).toBe(0);
    await kept.flush();
  });

  it('names the port that another program uses', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    nats = await startTestNats();
    const [user] = nats.users;
    if (user === undefined) throw new Error('the server has no user');
    const launched = launchNatsServer({ dataDir: join(nats.dataDir, 'second'), port, users: [user] });
    await expect(launched).rejects.toThrow(PortTakenError);
    await expect(launched).rejects.toThrow(new RegExp(`Another program uses port ${port} of 127.0.0.1`));
    await new Promise((resolve) => other.close(resolve));
  });

  it('ends a server that an earlier run left on the same folder, and no other program', async () => {
    nats = await startTestNats();
    const orphan = nats.server();
    const users: [NatsUser] = [nats.users[0] as NatsUser];
    const next = await launchNatsServer({ dataDir: nats.dataDir, port: orphan.port, users });
    expect(isRunning(orphan.pid)).toBe(false);
    expect(next.pid).not.toBe(orphan.pid);
    await next.stop();

    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await writeFile(join(nats.dataDir, 'nats-server.pid'), String(bystander.pid));
    const third = await launchNatsServer({ dataDir: nats.dataDir, port: orphan.port, users });
    expect(isRunning(bystander.pid ?? 0)).toBe(true);
    bystander.kill('SIGKILL');
    await third.stop();
  });

  it('shows the last lines of a server that cannot start', async () => {
    nats = await startTestNats();
    const users: [NatsUser] = [{ user: 'network', password: 'x', publish: ['a b'], subscribe: ['..'] }];
    const launched = launchNatsServer({ dataDir: join(nats.dataDir, 'broken'), port: 0, users });
    await expect(launched).rejects.toThrow(/did not become ready[\s\S]*last lines:\n.*\S/);
  });

  it.skipIf(process.platform !== 'linux')(
    'dies with the process that started it, even by SIGKILL',
    async () => {
      nats = await startTestNats();
      const folder = join(nats.dataDir, 'child');
      const script = `
      import { launchNatsServer } from ${JSON.stringify(new URL('../../dist/messaging/nats-server.js', import.meta.url).href)};
      const server = await launchNatsServer({ dataDir: ${JSON.stringify(folder)}, port: 0, users: [{ user: 'network', password: 'p' }] });
      console.log(server.pid);
      setInterval(() => {}, 1000);
    `;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const pid = await new Promise<number>((resolve) =>
        parent.stdout.once('data', (data) => resolve(Number(data))),
      );
      expect(isRunning(pid)).toBe(true);
      parent.kill('SIGKILL');
      // A zombie still has a pid, but no command line.
      await expect.poll(() => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
    },
  );
});

describe('connectNats', () => {
  it('says so when nobody listens, within its deadline', async () => {
    const started = performance.now();
    const failed = connectNats({ url: 'nats://127.0.0.1:1', name: 'nobody', deadlineMs: 500 });
    await expect(failed).rejects.toThrow(NatsUnavailableError);
    await expect(failed).rejects.toThrow(/No NATS server answered at nats:\/\/127.0.0.1:1/);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('refuses an invalid address, and does not show the password in it', async () => {
    const failed = connectNats({ url: 'nats://me:secret@ho st:42', name: 'typo' });
    await expect(failed).rejects.toThrow(/is not the address of a NATS server/);
    await expect(failed).rejects.not.toThrow(/secret/);
  });

  it('reconnects after a crash of the server, and reports it', async () => {
    const nats = await startTestNats();
    try {
      const told: string[] = [];
      const nc = await connectNats({
        url: nats.url,
        user: 'network',
        password: nats.passwordOf('network'),
        name: 'patient',
        onStatus: (message) => told.push(message),
      });
      await nats.restart();
      await expect.poll(() => told.some((line) => line.startsWith('connected to NATS'))).toBe(true);
      expect(told[0]).toMatch(/lost the connection/);
      await nc.flush();
      await nc.close();
    } finally {
      await nats.stop();
    }
  });
});
