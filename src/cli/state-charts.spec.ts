import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../sagas/index.ts';
import { STATE_CHARTS, stateChartsPage } from './state-charts.ts';

describe('the page of state charts', () => {
  it('is what the command prints: write it anew by "dellm diagram > docs/state-charts.md"', async () => {
    await expect(`${stateChartsPage()}\n`).toMatchFileSnapshot('../../docs/state-charts.md');
  });

  it('leaves no actor of the network out', () => {
    const shown = new Set(Object.values(STATE_CHARTS).map(({ machine }) => machine.id));
    expect(DEFINITIONS.map(({ kind }) => kind).filter((kind) => !shown.has(kind))).toEqual([]);
  });
});
