import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findNatsServer } from '../../scripts/nats-binary.mjs';
import { agentUser, clientUser } from '../../src/messaging/permissions.ts';

const path = fileURLToPath(new URL('../../infra/nats/nats-server.conf', import.meta.url));

describe('the configuration for a broker of its own', () => {
  it('gives clients and devices the permissions that the code gives them', () => {
    const text = readFileSync(path, 'utf8');
    const granted = [...text.matchAll(/allow: \[([^\]]*)\]/g)].map(([, list]) =>
      [...(list ?? '').matchAll(/"([^"]+)"/g)].map(([, subject]) => subject),
    );
    const [client, laptop] = [clientUser(''), agentUser('laptop', '')];
    expect(granted).toEqual([client.publish, client.subscribe, laptop.publish, laptop.subscribe]);
  });

  it('is accepted by nats-server', () => {
    const env = {
      DELLM_NETWORK_PASSWORD: 'one-password',
      DELLM_CLIENT_PASSWORD: 'two-password',
      DELLM_LAPTOP_PASSWORD: 'three-password',
    };
    const said = execFileSync(findNatsServer() ?? 'nats-server', ['-t', '-c', path], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(said).not.toMatch(/error/i);
  });
});
