import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from './heap.ts';

describe('a heap', () => {
  it('returns items in order, also with pushes and pops in between', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant('pop')));
    fc.assert(
      fc.property(steps, (sequence) => {
        const heap = new Heap<number>((one, other) => one < other);
        let model: number[] = [];
        for (const step of sequence) {
          if (typeof step === 'number') {
            heap.push(step);
            model = [...model, step].sort((one, other) => one - other);
          } else {
            expect(heap.first).toBe(model[0]);
            expect(heap.pop()).toBe(model.shift());
          }
          expect(heap.size).toBe(model.length);
        }
      }),
    );
  });
});
