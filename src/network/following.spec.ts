import type { NatsConnection } from 'nats';
import { describe, expect, it } from 'vitest';
import { nodeView } from '../../test/support/views.ts';
import { decodeJson, encodeJson } from '../events/envelope.ts';
import { followNetwork } from './following.ts';

/** A row of the projection `network`, as the read model returns it. */
function row(id: string, position: number): object {
  const { cluster, species, device, owner, genome, generation } = nodeView(id);
  const node = { kind: 'node', id, cluster, species, device, owner, genome, generation, inFlight: 0 };
  return { projection: 'network', key: `node/${id}`, position, row: { ...node, status: 'alive' } };
}

describe('the view of the network', () => {
  it('has caught up with the last page of the known rows, not with the first', async () => {
    const abort = new AbortController();
    const pages = [
      { rows: [row('n1', 3)], position: 3, more: true },
      { rows: [row('n2', 9)], position: 9, more: false },
    ];
    const seen: number[] = [];
    const nc = {
      async request() {
        // The first request is sent before `followNetwork` returns.
        await Promise.resolve();
        seen.push(follower.view().nodes.size);
        const page = pages.shift() ?? { rows: [], position: 9, more: false };
        return { data: encodeJson(page) };
      },
    } as unknown as NatsConnection;
    const follower = followNetwork({ nc, onLog: () => {}, signal: abort.signal });
    await follower.caughtUp;
    expect(seen).toEqual([0, 1]);
    expect([...follower.view().nodes.keys()]).toEqual(['n1', 'n2']);
    abort.abort();
  });

  it('asks from its position, and lets the read model wait for a change', async () => {
    const abort = new AbortController();
    const asked: unknown[] = [];
    await new Promise<void>((resolve) => {
      const nc = {
        async request(_subject: string, body: Uint8Array) {
          asked.push(decodeJson(body));
          if (asked.length === 2) resolve();
          return { data: encodeJson({ rows: [], position: 9, more: false }) };
        },
      } as unknown as NatsConnection;
      followNetwork({ nc, onLog: () => {}, signal: abort.signal });
    });
    abort.abort();
    expect(asked).toEqual([
      { since: -1, limit: 400, waitMs: 1_000 },
      { since: 9, limit: 400, waitMs: 1_000 },
    ]);
  });

  it('resolves caughtUp when it is stopped while the read model waits', async () => {
    const abort = new AbortController();
    const nc = { request: () => new Promise(() => {}) } as unknown as NatsConnection;
    const { caughtUp } = followNetwork({ nc, onLog: () => {}, signal: abort.signal });
    abort.abort();
    await caughtUp;
  });

  it('resolves caughtUp when it is stopped while nobody answers', async () => {
    const abort = new AbortController();
    const nc = {
      async request() {
        abort.abort();
        throw new Error('no responders');
      },
    } as unknown as NatsConnection;
    const follower = followNetwork({ nc, onLog: () => {}, signal: abort.signal });
    await follower.caughtUp;
    expect(follower.view().nodes.size).toBe(0);
  });
});
