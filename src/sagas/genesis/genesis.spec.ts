import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { later, Scenario, sends } from '../../../test/support/decider.ts';
import { SETTINGS } from '../../../test/support/evolution.ts';
import { genesisPlan } from '../../../test/support/local-network.ts';
import type { GenesisCommand, GenesisEvent } from '../../events/genesis.ts';
import { genesis } from './index.ts';
import { birthsOf, type GenesisContext } from './machine.ts';

type Subject = Scenario<GenesisCommand, GenesisEvent>;
type What = 'superCluster' | 'cluster' | 'node';

function begun(nodes = 2): Subject {
  return new Scenario<GenesisCommand, GenesisEvent>(genesis, 'main').when(genesisPlan(nodes));
}

function contextOf(scenario: Subject): GenesisContext {
  return scenario.context as GenesisContext;
}

function awaited(scenario: Subject): readonly string[] {
  return contextOf(scenario).awaited;
}

function confirm(birth: string): GenesisCommand {
  const [what = '', id = ''] = birth.split('/');
  return { type: 'ConfirmBirth', data: { what: what as What, id } };
}

function pass(scenario: Subject): GenesisCommand {
  return { type: 'PassDeadline', data: { dueAt: contextOf(scenario).dueAt } };
}

describe('genesis', () => {
  it('calls an account, the Super Cluster, five Clusters and their Nodes into being, once', () => {
    const scenario = begun();
    expect(scenario.sent).toHaveLength(1 + 1 + 5 + 10);
    expect(scenario.sent[0]).toBe('account/owner OpenAccount');
    expect(scenario.effects.at(-1)).toMatchObject({ kind: 'timer', dueAt: later(10_000) });
    expect(scenario.when(genesisPlan(2)).types).toEqual([]);
  });

  it('is complete when everything is confirmed, in any order and however often', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 15 })), fc.integer({ min: 0, max: 60 }), (picks, count) => {
        const scenario = begun();
        const births = awaited(scenario);
        const heard = new Set<string>();
        for (const pick of picks.take(count)) {
          const birth = births[pick] ?? '';
          scenario.when(confirm(birth));
          expect(scenario.types.includes('BirthConfirmed')).toBe(!heard.has(birth));
          heard.add(birth);
        }
        for (const birth of births) scenario.when(confirm(birth));
        for (const birth of births) expect(scenario.when(confirm(birth)).types).toEqual([]);
        const types = scenario.history.map(({ type }) => type);
        expect(types.filter((type) => type === 'BirthConfirmed')).toHaveLength(births.length);
        expect(types.filter((type) => type === 'GenesisCompleted')).toHaveLength(1);
        expect(scenario.snapshot.value).toBe('complete');
      }),
      { numRuns: 50 },
    );
  });

  it('calls again what was not confirmed in time, and only that', () => {
    const scenario = begun();
    const births = awaited(scenario);
    const late = [births[1], births.at(-1)];
    for (const birth of births) if (!late.includes(birth)) scenario.when(confirm(birth));
    expect(scenario.when(pass(scenario), { at: later(9999) }).types).toEqual([]);
    scenario.when(pass(scenario), { at: later(10_000) });
    expect(scenario.types).toEqual(['GenesisRepeated']);
    expect(scenario.sent).toEqual([`${late[0]} FormCluster`, `${late[1]} BearNode`]);
    expect(scenario.effects.at(-1)).toMatchObject({ kind: 'timer', dueAt: later(20_000) });
    expect(contextOf(scenario).dueAt).toBe(later(20_000));
  });

  it.each([
    ['main', null, ['superCluster/main FormSuperCluster']],
    ['main', SETTINGS, ['superCluster/main ConfigureEvolution', 'superCluster/main FormSuperCluster']],
    // It adds Clusters to a network that exists.
    [null, null, []],
    [null, SETTINGS, []],
  ])('of the Super Cluster %s with the rules %o', (superCluster, evolution, sent) => {
    const { type, data } = genesisPlan(1, 'owner', evolution);
    const scenario = new Scenario<GenesisCommand, GenesisEvent>(genesis, 'main');
    scenario.when({ type, data: { ...data, superCluster } });
    expect(scenario.sent.filter((command) => command.startsWith('superCluster/'))).toEqual(sent);
    expect(awaited(scenario)[0]).toBe(superCluster === null ? 'cluster/mathematical' : 'superCluster/main');
  });

  it('sets the rules of evolution also where there are others', () => {
    const settings = { settings: SETTINGS, onlyIfNone: false };
    const scenario = new Scenario<GenesisCommand, GenesisEvent>(genesis, 'main');
    const { effects } = scenario.when(genesisPlan(1, 'owner', SETTINGS));
    expect(effects).toContainEqual(sends('superCluster/main', 'ConfigureEvolution', settings));
  });

  it('hears nothing from strangers, and repeats nothing when it is complete', () => {
    const scenario = begun(1);
    expect(scenario.when(confirm('node/stranger')).types).toEqual([]);
    for (const birth of awaited(scenario)) scenario.when(confirm(birth));
    expect(scenario.when(pass(scenario), { at: later(60_000) }).types).toEqual([]);
  });

  it('does not wait for births before it has begun', () => {
    const scenario = new Scenario<GenesisCommand, GenesisEvent>(genesis, 'main');
    expect(contextOf(scenario)).toEqual({ plan: null, awaited: [], dueAt: '' });
    expect(scenario.when(confirm('node/n1')).types).toEqual([]);
    expect(scenario.when({ type: 'PassDeadline', data: { dueAt: later(0) } }).types).toEqual([]);
  });

  it('names its births after their seeds', () => {
    const [event] = begun(2).history;
    const births = event?.type === 'GenesisBegun' ? birthsOf(event.data) : [];
    expect(births).toContain('node/mathematical-02');
    expect(new Set(births).size).toBe(births.length);
  });
});
