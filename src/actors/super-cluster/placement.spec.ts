import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Slot } from '../../events/evolution.ts';
import { type Claim, type ClusterRoom, type DeviceRoom, placeOffspring } from './placement.ts';

const MAX = 50;

const device = (id: string, slots: number, occupied = 0, region = 'eu'): DeviceRoom => ({
  device: id,
  owner: `owner-of-${id}`,
  tier: 'low',
  region,
  slots,
  occupied,
});
const cluster = (id: string, members: number, lastOffspring = 0, region?: string): ClusterRoom => ({
  cluster: id,
  members,
  lastOffspring,
  ...(region === undefined ? {} : { region }),
});
const claim = (wanted: number, culled: Claim['culled'] = []): Claim => ({
  claim: 'a-1',
  cluster: 'a',
  wanted,
  culled,
});
const place = (
  asked: Claim,
  devices: readonly DeviceRoom[],
  clusters: readonly ClusterRoom[],
  max = MAX,
): readonly Slot[] => placeOffspring(asked, devices, clusters, max, (index) => `node-${index}`);

const count = <T>(list: readonly T[], holds: (one: T) => boolean): number => list.filter(holds).length;

describe('the placement of offspring', () => {
  it('gives the culled Nodes’ slots to the claiming Cluster first, even where others are smaller', () => {
    const slots = place(
      claim(2, [
        { node: 'x', device: 'd' },
        { node: 'y', device: 'e' },
      ]),
      [device('d', 1), device('e', 1), device('f', 9)],
      [cluster('a', 8), cluster('b', 1)],
    );
    expect(slots).toEqual([
      { node: 'node-0', device: 'd', owner: 'owner-of-d', tier: 'low', cluster: 'a', replaces: 'x' },
      { node: 'node-1', device: 'e', owner: 'owner-of-e', tier: 'low', cluster: 'a', replaces: 'y' },
    ]);
  });

  it('never grants more than is wanted', () => {
    const culled = [1, 2, 3].map((index) => ({ node: `n${index}`, device: 'd' }));
    expect(place(claim(2, culled), [device('d', 5)], [cluster('a', 7)])).toHaveLength(2);
    expect(place(claim(0, culled), [device('d', 5)], [cluster('a', 7)])).toEqual([]);
  });

  it('sends what is still wanted to the smallest Cluster, on the device with the most free slots', () => {
    const slots = place(
      claim(4),
      [device('d', 2), device('e', 5, 2)],
      [cluster('a', 9), cluster('b', 7), cluster('c', 8)],
    );
    expect(slots.map((slot) => [slot.cluster, slot.device])).toEqual([
      ['b', 'e'],
      ['c', 'd'],
      ['b', 'e'],
      ['a', 'd'],
    ]);
    expect(slots.every(({ replaces }) => replaces === null)).toBe(true);
  });

  it('among equals prefers who has waited longest, and a device in its region', () => {
    const slots = place(
      claim(2),
      [device('d', 2, 0, 'us'), device('e', 2, 0, 'eu')],
      [cluster('a', 6, 900, 'us'), cluster('b', 6, 100, 'eu')],
    );
    expect(slots.map((slot) => [slot.cluster, slot.device])).toEqual([
      ['b', 'e'],
      ['a', 'd'],
    ]);
  });

  it('uses a culled Node’s slot for another Cluster where its own is full', () => {
    const slots = place(
      claim(1, [{ node: 'x', device: 'd' }]),
      [device('d', 1)],
      [cluster('a', 50), cluster('b', 5)],
    );
    expect(slots).toMatchObject([{ cluster: 'b', device: 'd', replaces: 'x' }]);
  });

  it('does not refill a slot that its device no longer lends', () => {
    const culled = [
      { node: 'x', device: 'gone' },
      { node: 'y', device: 'd' },
    ];
    expect(place(claim(2, culled), [device('d', 2, 3)], [cluster('a', 5)])).toEqual([]);
  });

  it('never gives a device more than it lends, nor a Cluster more than it may have', () => {
    const devices = fc.uniqueArray(
      fc.record({
        device: fc.constantFrom('d', 'e', 'f', 'g'),
        slots: fc.nat(6),
        occupied: fc.nat(6),
        region: fc.constantFrom('eu', 'us'),
      }),
      { selector: (one) => one.device },
    );
    const clusters = fc.uniqueArray(
      fc.record({
        cluster: fc.constantFrom('a', 'b', 'c'),
        members: fc.nat(12),
        lastOffspring: fc.nat(9),
      }),
      { selector: (one) => one.cluster },
    );
    const culled = fc.uniqueArray(
      fc.record({ node: fc.constantFrom('u', 'v', 'w', 'x'), device: fc.constantFrom('d', 'e', 'gone') }),
      { selector: (one) => one.node },
    );
    fc.assert(
      fc.property(devices, clusters, culled, fc.nat(30), (lent, groups, ended, wanted) => {
        const all = lent.map((one) => device(one.device, one.slots, one.occupied, one.region));
        const slots = place(claim(wanted, ended), all, groups, 10);
        expect(slots.length).toBeLessThanOrEqual(wanted);
        expect(new Set(slots.map(({ node }) => node)).size).toBe(slots.length);
        for (const { device: id, slots: lends, occupied } of all) {
          const given = count(slots, (slot) => slot.device === id);
          expect(given).toBeLessThanOrEqual(Math.max(0, lends - occupied));
        }
        for (const { cluster: id, members } of groups) {
          const given = count(slots, (slot) => slot.cluster === id);
          expect(given).toBeLessThanOrEqual(Math.max(0, 10 - members));
        }
        const free = all.reduce((sum, one) => sum + Math.max(0, one.slots - one.occupied), 0);
        const room = groups.reduce((sum, one) => sum + Math.max(0, 10 - one.members), 0);
        expect(slots.length).toBe(Math.min(wanted, free, room));
      }),
    );
  });

  it('starves no Cluster silently: each that has room gets offspring within a bounded number of grants', () => {
    const max = 12;
    const sizes = fc.array(fc.integer({ min: 0, max: max - 1 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }), (start, wishes) => {
        let rooms = start.map((members, index) => cluster(`c${index}`, members));
        const occupied = start.reduce((sum, members) => sum + members, 0);
        const lent = device('d', 1000, occupied);
        const waiting = new Set(rooms.map(({ cluster: id }) => id));
        let grants = 0;
        for (let turn = 1; waiting.size > 0; turn += 1) {
          expect(grants).toBeLessThanOrEqual(start.length * max);
          // A Cluster that loses a Node gets its slot back, in turn with claims for free slots.
          const claimant = rooms[turn % rooms.length] ?? expect.fail('no Cluster');
          const loses = turn % 3 === 0 && claimant.members > 0;
          const left = rooms.map((one) =>
            loses && one === claimant ? { ...one, members: one.members - 1 } : one,
          );
          const asked = {
            claim: `${claimant.cluster}-${turn}`,
            cluster: claimant.cluster,
            wanted: (loses ? 1 : 0) + 1 + (wishes[turn % wishes.length] ?? 0),
            culled: loses ? [{ node: 'x', device: 'd' }] : [],
          };
          const slots = place(asked, [{ ...lent, occupied: 0 }], left, max);
          expect(slots.length).toBeGreaterThan(0);
          rooms = left.map((one) => {
            const given = count(slots, (slot) => slot.cluster === one.cluster);
            const lastOffspring = given > 0 ? turn : one.lastOffspring;
            return { ...one, members: one.members + given, lastOffspring };
          });
          for (const slot of slots.filter(({ replaces }) => replaces === null)) waiting.delete(slot.cluster);
          grants += count(slots, ({ replaces }) => replaces === null);
        }
      }),
    );
  });
});
