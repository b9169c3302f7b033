import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findNatsServer } from '../../scripts/nats-binary.mjs';
import { agentUser, clientUser } from '../../src/messaging/permissions.ts';

/** Values for the variables that the comment at the top of the file asks for. */
const PASSWORDS = {
  DELLM_NETWORK_PASSWORD: 'one-password',
  DELLM_CLIENT_PASSWORD: 'two-password',
  DELLM_LAPTOP_PASSWORD: 'three-password',
};

const path = fileURLToPath(new URL('../../infra/nats/nats-server.conf', import.meta.url));

describe('the configuration for a separate broker', () => {
  it('gives clients and devices the same permissions as the code', () => {
    const text = readFileSync(path, 'utf8');
    const granted = [...text.matchAll(/allow: \[([^\]]*)\]/g)].map(([, list]) =>
      [...(list ?? '').matchAll(/"([^"]+)"/g)].map(([, subject]) => subject),
    );
    const [client, laptop] = [clientUser(''), agentUser('laptop', '')];
    expect(granted).toEqual([client.publish, client.subscribe, laptop.publish, laptop.subscribe]);
  });

  it('names in its start command every variable that it needs', () => {
    const [head = '', ...settings] = readFileSync(path, 'utf8').split(/^host:/m);
    const needed = [...settings.join().matchAll(/\$(DELLM_\w+)/g)].map(([, name]) => name);
    expect(needed.sort()).toEqual(Object.keys(PASSWORDS).sort());
    for (const name of needed) expect(head).toContain(`${name}=`);
  });

  it('listens on this machine only', () => {
    expect(readFileSync(path, 'utf8').match(/^(host|http): .*$/gm)).toEqual([
      'host: "127.0.0.1"',
      'http: "127.0.0.1:8222"',
    ]);
  });

  it('is accepted by nats-server', () => {
    const said = execFileSync(findNatsServer() ?? 'nats-server', ['-t', '-c', path], {
      env: PASSWORDS,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(said).not.toMatch(/error/i);
  });
});
