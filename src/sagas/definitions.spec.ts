import { describe, expect, it } from 'vitest';
import { type AnyStateNode, initialTransition } from 'xstate';
import type { ActorKind, EventOf } from '../events/kinds.ts';
import { DEFINITIONS } from './index.ts';

/** The types of event that each kind of actor records. */
const EVENTS: { readonly [Kind in ActorKind]: Readonly<Record<EventOf<Kind>['type'], true>> } = {
  account: {
    CreditsGranted: true,
    CreditsReserved: true,
    ReservationRefused: true,
    CreditsSettled: true,
    CreditsReleased: true,
    SettlementDemanded: true,
    CreditsEarned: true,
    CreditsPenalised: true,
  },
  node: {
    NodeBorn: true,
    TaskAccepted: true,
    TaskRefused: true,
    ModelAnswered: true,
    VoteCast: true,
    TaskFailed: true,
    PerformanceRecorded: true,
    NodeMoved: true,
    NodeCulled: true,
    NodeRetired: true,
    LifeAffirmed: true,
  },
  cluster: {
    ClusterFormed: true,
    NodeAdmitted: true,
    TaskDistributed: true,
    VoteCounted: true,
    VoteLost: true,
    TiebreakCalled: true,
    ConsensusReached: true,
    ConsensusFailed: true,
    GoldTaskIssued: true,
    GoldTaskJudged: true,
    PerformanceReported: true,
    GenerationScheduled: true,
    GenerationOpened: true,
    GenerationDemanded: true,
    GenerationClosed: true,
    NodeDismissed: true,
    ClusterCharacterised: true,
    ClusterSplit: true,
    MergeProposed: true,
    ClusterMerged: true,
    NodeRedirected: true,
  },
  superCluster: {
    SuperClusterFormed: true,
    SubtaskRouted: true,
    RoutingFailed: true,
    SubtaskSettled: true,
    EvolutionConfigured: true,
    SlotsGranted: true,
    NetworkFitnessMeasured: true,
    EvolutionModeChanged: true,
    MergeApproved: true,
  },
  query: {
    QueryAsked: true,
    QueryAskedAgain: true,
    QueryForgone: true,
    EndingConfirmed: true,
    QueryAnalysed: true,
    QueryPlanned: true,
    SubtaskDispatched: true,
    SubtaskAnswered: true,
    SubtaskFailed: true,
    VerdictReached: true,
    AnswerSynthesised: true,
    AnswerValidated: true,
    QueryAnswered: true,
    QueryDeclined: true,
    QueryExpired: true,
  },
  genesis: {
    GenesisBegun: true,
    BirthConfirmed: true,
    GenesisRepeated: true,
    GenesisCompleted: true,
  },
  generation: {
    GenerationBegun: true,
    FitnessEvaluated: true,
    SelectionMade: true,
    SlotsReceived: true,
    OffspringBred: true,
    RetirementConfirmed: true,
    OffspringBorn: true,
    GenerationRepeated: true,
    GenerationCompleted: true,
    CompletionAffirmed: true,
  },
};

/** What a context holds before the first event, besides the id. */
const DEFAULTS: { readonly [Kind in ActorKind]?: object } = {
  cluster: { kind: 'specialized' },
  superCluster: { mode: 'normal' },
  query: { stakes: 'normal', complexity: 'simple' },
};

/** Events that some state takes: a transition without target and actions does not count, nor for `snapshot.can`. */
function taken(state: AnyStateNode): readonly string[] {
  const own = [...state.transitions]
    .filter(([, transitions]) => transitions.some(({ target, actions }) => target?.length || actions.length))
    .map(([type]) => type);
  return [...own, ...Object.values(state.states).flatMap(taken)];
}

describe('the actors of the network', () => {
  it('have distinct types of events', () => {
    const all = Object.values(EVENTS).flatMap((types) => Object.keys(types));
    expect(all.filter((type, index) => all.indexOf(type) !== index)).toEqual([]);
  });

  it.each(DEFINITIONS.map((definition) => [definition.kind, definition] as const))(
    '%s is called so in its diagram',
    (kind, { machine }) => {
      expect(machine.id).toBe(kind);
    },
  );

  it.each(DEFINITIONS.map((definition) => [definition.kind, definition] as const))(
    '%s begins the same without an id, as where one machine folds for all actors, but for its name',
    (_kind, { machine }) => {
      const contexts = [{ id: 'some' }, undefined].map((input) => {
        const [{ context }] = initialTransition(machine, input);
        return JSON.stringify(context);
      });
      expect(contexts[0]?.replace('"some"', '""')).toBe(contexts[1]);
    },
  );

  it.each(DEFINITIONS.map((definition) => [definition.kind, definition] as const))(
    '%s knows nothing before its first event, but for defaults',
    (kind, { machine }) => {
      const [{ context }] = initialTransition(machine, { id: '' });
      const known = Object.entries(context).filter(([, value]) => value && Object.keys(value).length > 0);
      expect(Object.fromEntries(known)).toEqual(DEFAULTS[kind] ?? {});
    },
  );

  it.each(DEFINITIONS.map((definition) => [definition.kind, definition] as const))(
    '%s takes every event of its stream, and no other',
    (kind, { machine }) => {
      const types = Object.keys(EVENTS[kind]).sort();
      expect([...new Set(taken(machine.root))].sort()).toEqual(types);
      expect([...machine.events].sort()).toEqual(types);
    },
  );

  it.each(DEFINITIONS.map((definition) => [definition.kind, definition] as const))(
    '%s has no invocations and no clocks, and never stops',
    (_kind, { machine }) => {
      const states = (state: AnyStateNode): readonly AnyStateNode[] => [
        state,
        ...Object.values(state.states).flatMap(states),
      ];
      for (const state of states(machine.root)) {
        expect(state.invoke).toEqual([]);
        expect(state.after).toEqual([]);
        expect(state.type).not.toBe('final');
      }
    },
  );
});
