import { inboxPrefixOfUser } from './connection.ts';
import { deviceConsumer, WORK } from './streams.ts';
import { CLIENT_SUBJECTS, requireId } from './subjects.ts';

/** A broker's user and its permissions. Without `publish` and `subscribe` it may do everything. */
export interface NatsUser {
  readonly user: string;
  readonly password: string;
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
}

/** The bucket in which fleets announce themselves. */
export const FLEETS_BUCKET = 'dellm-fleets';
/** The bucket in which agents announce themselves. */
export const AGENTS_BUCKET = 'dellm-agents';

/** The user of the roles that make up the network. */
export const NETWORK_USER = 'network';
/** The user of every connection that names none. */
export const CLIENT_USER = 'client';

/** The broker's user of a device. */
export function agentUserName(device: string): string {
  return `agent-${requireId(device)}`;
}

/** May do everything: fleets, relay, projectors, gateways. */
export function networkUser(password: string): NatsUser {
  return { user: NETWORK_USER, password };
}

/** May find and ask the network's services, and read events. Clients share one inbox prefix. */
export function clientUser(password: string): NatsUser {
  return {
    user: CLIENT_USER,
    password,
    publish: [...CLIENT_SUBJECTS, '$SRV.>'],
    subscribe: [`${inboxPrefixOfUser(CLIENT_USER)}.>`, 'dellm.evt.>'],
  };
}

/**
 * A device: pulls its own work, acknowledges it, answers the Nodes that live on it under its own name, and announces
 * itself. It can neither read nor write anything of another device, and has no other access to JetStream.
 */
export function agentUser(device: string, password: string): NatsUser {
  const user = agentUserName(device);
  const consumer = deviceConsumer(device);
  return {
    user,
    password,
    publish: [
      `$JS.API.CONSUMER.INFO.${WORK}.${consumer}`,
      `$JS.API.CONSUMER.MSG.NEXT.${WORK}.${consumer}`,
      `$JS.ACK.${WORK}.${consumer}.>`,
      // Servers from 2.14 on may add domain and account.
      `$JS.ACK.*.*.${WORK}.${consumer}.>`,
      `dellm.cmd.*.node.*.from.${device}`,
      `$KV.${AGENTS_BUCKET}.${device}`,
    ],
    subscribe: [`${inboxPrefixOfUser(user)}.>`],
  };
}
