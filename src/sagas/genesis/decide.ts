import type { SnapshotFrom } from 'xstate';
import type { Given } from '../../actors/actor.ts';
import type { GenesisCommand, GenesisEvent } from '../../events/genesis.ts';
import { later } from '../../events/later.ts';
import type { genesisMachine } from './machine.ts';

/** In milliseconds. After this time, everything unconfirmed is started again. */
const PATIENCE_MS = 10_000;

export function decide(
  command: GenesisCommand,
  snapshot: SnapshotFrom<typeof genesisMachine>,
  given: Given,
): readonly GenesisEvent[] {
  const { context } = snapshot;
  const at = given.at;
  const dueAt = later(at, PATIENCE_MS);
  switch (command.type) {
    case 'BeginGenesis':
      return snapshot.matches('void') ? [{ type: 'GenesisBegun', data: { ...command.data, dueAt, at } }] : [];
    case 'ConfirmBirth': {
      const born = `${command.data.what}/${command.data.id}`;
      if (!snapshot.matches('bearing') || !context.awaited.includes(born)) return [];
      const confirmed: GenesisEvent = { type: 'BirthConfirmed', data: { ...command.data, at } };
      return context.awaited.length === 1
        ? [confirmed, { type: 'GenesisCompleted', data: { at } }]
        : [confirmed];
    }
    case 'PassDeadline':
      if (!snapshot.matches('bearing') || at < context.dueAt) return [];
      return [{ type: 'GenesisRepeated', data: { awaited: context.awaited, dueAt, at } }];
  }
}
