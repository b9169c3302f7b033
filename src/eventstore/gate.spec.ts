import { describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';

async function enteredAfter(gate: Gate, calls: number, action: () => void = () => {}): Promise<number> {
  let entered = 0;
  for (let i = 0; i < calls; i += 1) {
    void gate.enter(10_000).then((isIn) => {
      if (isIn) entered += 1;
    });
  }
  action();
  await new Promise(setImmediate);
  return entered;
}

describe('a gate', () => {
  it('admits one call while it is cold', async () => {
    expect(await enteredAfter(new Gate(3), 5)).toBe(1);
  });

  it('admits calls up to its limit once it is warm', async () => {
    const gate = new Gate(3);
    expect(await enteredAfter(gate, 5, () => gate.warm())).toBe(3);
  });

  it('admits the next call when one leaves', async () => {
    const gate = new Gate(3);
    const entered = await enteredAfter(gate, 5, () => {
      gate.warm();
      gate.leave();
    });
    expect(entered).toBe(4);
  });

  it('admits one call at a time again after it has cooled', async () => {
    const gate = new Gate(2);
    expect(await enteredAfter(gate, 2, () => gate.warm())).toBe(2);
    gate.cool();
    gate.leave();
    expect(await enteredAfter(gate, 2)).toBe(0);
    expect(await enteredAfter(gate, 0, () => gate.leave())).toBe(0);
  });

  it('refuses a call after its waiting time, and does not keep a place for it', async () => {
    const gate = new Gate(3);
    expect(await gate.enter(10)).toBe(true);
    expect(await gate.enter(10)).toBe(false);
    gate.leave();
    expect(await gate.enter(10)).toBe(true);
  });
});
