import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rendezvous } from './membership.ts';
import { PARTITIONS } from './subjects.ts';

const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const memberIds = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 8 });

describe('rendezvous hashing', () => {
  it('gives a partition to one of the members, whatever their order', () => {
    fc.assert(
      fc.property(memberIds, fc.nat(PARTITIONS - 1), (ids, partition) => {
        const owner = rendezvous(partition, ids);
        expect(ids).toContain(owner);
        expect(rendezvous(partition, [...ids].reverse())).toBe(owner);
      }),
    );
  });

  it('moves only the partitions of the member that left', () => {
    fc.assert(
      fc.property(memberIds, (ids) => {
        const [gone, ...rest] = ids;
        for (const partition of partitions) {
          const before = rendezvous(partition, ids);
          if (before !== gone) expect(rendezvous(partition, rest)).toBe(before);
        }
      }),
    );
  });

  it('shares the partitions among members', () => {
    const owners = partitions.map((partition) => rendezvous(partition, ['fleet-a', 'fleet-b']));
    const shareOfA = owners.filter((owner) => owner === 'fleet-a').length;
    expect(shareOfA).toBeGreaterThan(20);
    expect(shareOfA).toBeLessThan(44);
  });

  it('gives a partition to nobody where there is nobody', () => {
    expect(rendezvous(0, [])).toBeNull();
  });
});
