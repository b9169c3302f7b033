import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Announcement, Member } from '../../src/messaging/membership.ts';
import {
  announce,
  ensureMembersBucket,
  joinMembership,
  readMembers,
  watchMembers,
} from '../../src/messaging/membership.ts';
import { AGENTS_BUCKET, FLEETS_BUCKET } from '../../src/messaging/permissions.ts';
import type { TestNats } from '../support/nats.ts';
import { startTestNats } from '../support/nats.ts';

describe('membership', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await startTestNats({ devices: ['laptop'] });
  });
  afterAll(() => nats.stop());

  it('shows to all when a member joins and leaves', async () => {
    const [first, second] = [await nats.connect(), await nats.connect()];
    const seen: (readonly Member[])[] = [];
    const [a, b] = await Promise.all([
      joinMembership({
        nc: first,
        bucket: FLEETS_BUCKET,
        id: 'a',
        info: () => ({ slots: 3 }),
        onChange: (all) => seen.push(all),
      }),
      joinMembership({ nc: second, bucket: FLEETS_BUCKET, id: 'b', onChange: () => {} }),
    ]);
    const both = [
      { id: 'a', info: { slots: 3 } },
      { id: 'b', info: {} },
    ];
    await expect.poll(() => a.members()).toEqual(both);
    await expect.poll(() => b.members()).toEqual(both);
    expect(a.isAlive()).toBe(true);
    await b.leave();
    expect(b.isAlive()).toBe(false);
    await expect.poll(() => a.members()).toEqual([both[0]]);
    await a.leave();
    expect(await readMembers(first, FLEETS_BUCKET)).toEqual([]);
    expect(seen.at(-1)).toEqual([both[0]]);
  });

  it('removes a member whose process was lost, after it must have stopped serving', async () => {
    const watcher = await nats.connect();
    const lost = await nats.connect();
    const aliveWhenDropped: boolean[] = [];
    let member: Announcement | undefined;
    const watch = await watchMembers({
      nc: watcher,
      bucket: FLEETS_BUCKET,
      onChange: (all) => {
        if (member && all.length === 0) aliveWhenDropped.push(member.isAlive());
      },
    });
    member = await announce({ nc: lost, bucket: FLEETS_BUCKET, id: 'lost' });
    await expect.poll(() => watch.members().length).toBe(1);
    await lost.close();
    await expect.poll(() => watch.members()).toEqual([]);
    expect(aliveWhenDropped).toEqual([false]);
    await member.leave();
    await watch.stop();
  });

  it('admits a process with a known id only after the previous one has disappeared', async () => {
    const [one, two] = [await nats.connect(), await nats.connect()];
    const first = await announce({ nc: one, bucket: FLEETS_BUCKET, id: 'same' });
    await expect(announce({ nc: two, bucket: FLEETS_BUCKET, id: 'same' })).rejects.toThrow(
      /another process uses the same id/,
    );
    expect(first.isAlive()).toBe(true);
    await one.close();
    const next = await announce({ nc: two, bucket: FLEETS_BUCKET, id: 'same' });
    expect(next.isAlive()).toBe(true);
    await next.leave();
    await first.leave();
  });

  it('recovers after the broker was killed and has lost the bucket', async () => {
    const nc = await nats.connect();
    await ensureMembersBucket(nc, AGENTS_BUCKET);
    const fleet = await joinMembership({ nc, bucket: AGENTS_BUCKET, id: 'network', onChange: () => {} });
    const agent = await announce({
      nc: await nats.connect({ device: 'laptop' }),
      bucket: AGENTS_BUCKET,
      id: 'laptop',
    });
    await nats.restart();
    await expect.poll(() => fleet.isAlive() && agent.isAlive()).toBe(true);
    await expect.poll(() => fleet.members().map(({ id }) => id)).toEqual(['laptop', 'network']);
    await agent.leave();
    await fleet.leave();
  });

  it('is a plain KV bucket for other tools, and treats invalid values as members without info', async () => {
    const nc = await nats.connect();
    await ensureMembersBucket(nc, AGENTS_BUCKET);
    const kv = await new Kvm(jetstream(nc)).open(AGENTS_BUCKET);
    await kv.put('odd', new Uint8Array([0xff, 0xfe]));
    await kv.put('list', '[1,2]');
    await kv.put('gone', '{}');
    await kv.delete('gone');
    expect(await readMembers(nc, AGENTS_BUCKET)).toEqual([
      { id: 'list', info: {} },
      { id: 'odd', info: {} },
    ]);
  });
});
