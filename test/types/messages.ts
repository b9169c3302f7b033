import { commandTo, type EffectOf, type MessageEffect } from '../../src/actors/actor.ts';
import type { Deadlines } from '../../src/events/deadline.ts';
import type {
  ActorKind,
  AddressedCommand,
  CommandOf,
  EventOf,
  PassDeadlineOf,
} from '../../src/events/kinds.ts';

/**
 * What the compiler takes and what it refuses of messages between actors. Nobody runs this: `messages.spec.ts` has it
 * compiled.
 */

/** Commands, for each kind of actor: one that it takes, and the same with a fault. */
export function commands(): readonly MessageEffect[] {
  const account = { kind: 'account', id: 'a' } as const;
  const node = { kind: 'node', id: 'a' } as const;
  const cluster = { kind: 'cluster', id: 'a' } as const;
  const superCluster = { kind: 'superCluster', id: 'a' } as const;
  const query = { kind: 'query', id: 'a' } as const;
  const genesis = { kind: 'genesis', id: 'a' } as const;
  const generation = { kind: 'generation', id: 'a' } as const;
  const saga: { kind: 'genesis' | 'generation'; id: string } = genesis;
  return [
    commandTo(account, { type: 'OpenAccount', data: { account: 'a' } }),
    // @ts-expect-error The type is misspelt.
    commandTo(account, { type: 'OpenAcount', data: { account: 'a' } }),
    // @ts-expect-error A field is missing.
    commandTo(account, { type: 'OpenAccount', data: {} }),
    // @ts-expect-error A field is of a wrong type.
    commandTo(account, { type: 'OpenAccount', data: { account: 1 } }),

    commandTo(node, { type: 'MoveNode', data: { from: 'a', to: 'b', cause: 'split' } }),
    // @ts-expect-error The type is misspelt.
    commandTo(node, { type: 'MoveNod', data: { from: 'a', to: 'b', cause: 'split' } }),
    // @ts-expect-error A field is missing.
    commandTo(node, { type: 'MoveNode', data: { from: 'a', cause: 'split' } }),
    // @ts-expect-error A field is of a wrong type.
    commandTo(node, { type: 'MoveNode', data: { from: 'a', to: 'b', cause: 'boredom' } }),

    commandTo(cluster, { type: 'MergeInto', data: { into: 'a', cause: 'b' } }),
    // @ts-expect-error The type is misspelt.
    commandTo(cluster, { type: 'MergeInTo', data: { into: 'a', cause: 'b' } }),
    // @ts-expect-error A field is missing.
    commandTo(cluster, { type: 'MergeInto', data: { into: 'a' } }),
    // @ts-expect-error A field is of a wrong type.
    commandTo(cluster, { type: 'MergeInto', data: { into: 'a', cause: null } }),

    commandTo(superCluster, { type: 'SettleSubtask', data: { queryId: 'a', subtaskId: 'b' } }),
    // @ts-expect-error The type is misspelt.
    commandTo(superCluster, { type: 'SettleTask', data: { queryId: 'a', subtaskId: 'b' } }),
    // @ts-expect-error A field is missing.
    commandTo(superCluster, { type: 'SettleSubtask', data: { queryId: 'a' } }),
    // @ts-expect-error A field is of a wrong type.
    commandTo(superCluster, { type: 'SettleSubtask', data: { queryId: 'a', subtaskId: 1 } }),

    commandTo(query, { type: 'ConfirmEnding', data: { reservationId: 'a', account: 'b' } }),
    // @ts-expect-error The type is misspelt.
    commandTo(query, { type: 'ConfirmEnd', data: { reservationId: 'a', account: 'b' } }),
    // @ts-expect-error A field is missing.
    commandTo(query, { type: 'ConfirmEnding', data: { account: 'b' } }),
    // @ts-expect-error A field is of a wrong type.
    commandTo(query, { type: 'ConfirmEnding', data: { reservationId: 'a', account: ['b'] } }),

    commandTo(genesis, { type: 'ConfirmBirth', data: { what: 'cluster', id: 'a' } }),
    // @ts-expect-error The type is misspelt.
    commandTo(genesis, { type: 'ConfirmBirths', data: { what: 'cluster', id: 'a' } }),
    // @ts-expect-error A field is missing.
    commandTo(genesis, { type: 'ConfirmBirth', data: { what: 'cluster' } }),
    // @ts-expect-error A field is of a wrong type.
    commandTo(genesis, { type: 'ConfirmBirth', data: { what: 'account', id: 'a' } }),

    commandTo(generation, { type: 'ConfirmRetirement', data: { node: 'a' } }),
    // @ts-expect-error The type is misspelt.
    commandTo(generation, { type: 'ConfirmRetired', data: { node: 'a' } }),
    // @ts-expect-error A field is missing.
    commandTo(generation, { type: 'ConfirmRetirement', data: {} }),
    // @ts-expect-error A field is of a wrong type.
    commandTo(generation, { type: 'ConfirmRetirement', data: { node: 1 } }),

    commandTo(saga, { type: 'ConfirmBirth', data: { what: 'node', id: 'a' } }),
    // @ts-expect-error Only one of the sagas takes it.
    commandTo(saga, { type: 'ConfirmRetirement', data: { node: 'a' } }),
    // @ts-expect-error Only one of the sagas takes it with this.
    commandTo(saga, { type: 'ConfirmBirth', data: { what: 'cluster', id: 'a' } }),
    // @ts-expect-error Another kind of actor takes it.
    commandTo(node, { type: 'OpenAccount', data: { account: 'a' } }),
  ];
}

/** Commands from outside of the actors. */
export function addressed(): readonly AddressedCommand[] {
  const to = { kind: 'account', id: 'a' } as const;
  return [
    { to, command: { type: 'OpenAccount', data: { account: 'a' } } },
    // @ts-expect-error The type is misspelt.
    { to, command: { type: 'OpenAcount', data: { account: 'a' } } },
    // @ts-expect-error A field is missing.
    { to, command: { type: 'OpenAccount', data: {} } },
    // @ts-expect-error A field is of a wrong type.
    { to, command: { type: 'OpenAccount', data: { account: 1 } } },
  ];
}

/** Timers, for each kind of actor. */
export function timers(): readonly EffectOf<ActorKind>[] {
  const timer = <Kind extends ActorKind>(_kind: Kind, command: PassDeadlineOf<Kind>): EffectOf<Kind> => ({
    kind: 'timer',
    dueAt: '',
    command,
  });
  return [
    timer('account', { type: 'PassDeadline', data: { transferId: 'a' } }),
    // @ts-expect-error The type is misspelt.
    timer('account', { type: 'PassDeadlin', data: { transferId: 'a' } }),
    // @ts-expect-error A field is missing.
    timer('account', { type: 'PassDeadline', data: {} }),
    // @ts-expect-error A field is of a wrong type.
    timer('account', { type: 'PassDeadline', data: { transferId: 1 } }),

    timer('node', { type: 'PassDeadline', data: { taskId: 'a' } }),
    // @ts-expect-error The type is misspelt.
    timer('node', { type: 'PassDeadlines', data: { taskId: 'a' } }),
    // @ts-expect-error A field is missing.
    timer('node', { type: 'PassDeadline', data: {} }),
    // @ts-expect-error A field is of a wrong type.
    timer('node', { type: 'PassDeadline', data: { taskId: 1 } }),

    timer('cluster', { type: 'PassDeadline', data: { subtaskId: 'a', attempt: 1 } }),
    // @ts-expect-error The type is misspelt.
    timer('cluster', { type: 'Deadline', data: { subtaskId: 'a', attempt: 1 } }),
    // @ts-expect-error A field is missing.
    timer('cluster', { type: 'PassDeadline', data: { subtaskId: 'a' } }),
    // @ts-expect-error A field is of a wrong type.
    timer('cluster', { type: 'PassDeadline', data: { generation: '1' } }),

    // @ts-expect-error It waits for nobody.
    timer('superCluster', { type: 'PassDeadline', data: { subtaskId: 'a' } }),

    timer('query', { type: 'PassDeadline', data: { subtaskId: null, attempt: 0, dueAt: '' } }),
    // @ts-expect-error The type is misspelt.
    timer('query', { type: 'passDeadline', data: { subtaskId: null, attempt: 0, dueAt: '' } }),
    // @ts-expect-error A field is missing.
    timer('query', { type: 'PassDeadline', data: { subtaskId: null, dueAt: '' } }),
    // @ts-expect-error A field is of a wrong type.
    timer('query', { type: 'PassDeadline', data: { subtaskId: null, attempt: null, dueAt: '' } }),

    timer('genesis', { type: 'PassDeadline', data: { dueAt: '' } }),
    // @ts-expect-error The type is misspelt.
    timer('genesis', { type: 'PassTime', data: { dueAt: '' } }),
    // @ts-expect-error A field is missing.
    timer('genesis', { type: 'PassDeadline', data: {} }),
    // @ts-expect-error A field is of a wrong type.
    timer('genesis', { type: 'PassDeadline', data: { dueAt: 0 } }),

    timer('generation', { type: 'PassDeadline', data: { dueAt: '' } }),
    // @ts-expect-error The type is misspelt.
    timer('generation', { type: 'PassedDeadline', data: { dueAt: '' } }),
    // @ts-expect-error A field is missing.
    timer('generation', { type: 'PassDeadline', data: {} }),
    // @ts-expect-error A field is of a wrong type.
    timer('generation', { type: 'PassDeadline', data: { dueAt: new Date() } }),

    // @ts-expect-error It is another kind of actor's.
    timer('account', { type: 'PassDeadline', data: { taskId: 'a' } }),
  ];
}

/** Declarations of what is waited for. */
export function declarations(): readonly object[] {
  const opens = <Kind extends ActorKind>(
    _kind: Kind,
    declared: Deadlines<EventOf<Kind>, CommandOf<Kind>>['opens'],
  ): object => declared;
  return [
    opens('node', { TaskAccepted: ({ taskId: key, dueAt }) => ({ key, dueAt, data: { taskId: key } }) }),
    // @ts-expect-error There is no such event.
    opens('node', { TaskTaken: () => null }),
    // @ts-expect-error The event has no such field.
    opens('node', { TaskAccepted: ({ task: key, dueAt }) => ({ key, dueAt, data: { taskId: key } }) }),
    // @ts-expect-error The deadline is another one's.
    opens('node', { TaskAccepted: ({ taskId: key, dueAt }) => ({ key, dueAt, data: { transferId: key } }) }),
    // @ts-expect-error A field of the deadline is missing.
    opens('node', { TaskAccepted: ({ taskId: key, dueAt }) => ({ key, dueAt, data: {} }) }),
    // @ts-expect-error A field of the deadline is of a wrong type.
    opens('node', { TaskAccepted: ({ taskId: key, dueAt }) => ({ key, dueAt, data: { taskId: 1 } }) }),
    // @ts-expect-error There is no time.
    opens('node', { TaskAccepted: ({ taskId: key }) => ({ key, data: { taskId: key } }) }),
  ];
}

/** Answers that leave out one command or event of genesis. */
export const incomplete = {
  // @ts-expect-error A command is missing.
  decide(command: CommandOf<'genesis'>): readonly EventOf<'genesis'>[] {
    switch (command.type) {
      case 'BeginGenesis':
      case 'ConfirmBirth':
        return [];
    }
  },
  // @ts-expect-error An event is missing.
  react(event: EventOf<'genesis'>): readonly MessageEffect[] {
    switch (event.type) {
      case 'GenesisBegun':
      case 'BirthConfirmed':
      case 'GenesisRepeated':
        return [];
    }
  },
};
