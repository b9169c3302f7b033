import type { NatsConnection, Status } from 'nats';
import { AuthorizationError, connect } from 'nats';
import { NatsAccessError, NatsUnavailableError } from './errors.ts';

export interface NatsAccess {
  /** `nats://host:port`, or several separated by commas. It may contain a user and password. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}

export interface ConnectOptions extends NatsAccess {
  /** The broker shows this name for the connection. */
  readonly name: string;
  /** Prefix of the subjects for answers. Default: `_INBOX_<user>`, and `_INBOX` for clients. */
  readonly inboxPrefix?: string;
  /** How long to try while no server listens, in milliseconds. Default 5,000. */
  readonly deadlineMs?: number;
  /** Called when the connection is lost or returns, and when a permission is refused. */
  readonly onStatus?: (message: string) => void;
}

const RETRY_MS = 100;

/**
 * The inbox prefix of a broker's user. If others could read an inbox, they would see everything that is pulled into it.
 */
export function inboxPrefixOfUser(user: string | undefined): string {
  return user === undefined || user === 'client' ? '_INBOX' : `_INBOX_${user}`;
}

const inboxPrefixes = new WeakMap<NatsConnection, string>();

/** The prefix of inboxes that this connection's user may subscribe to. */
export function inboxPrefixOf(nc: NatsConnection): string {
  return inboxPrefixes.get(nc) ?? inboxPrefixOfUser(undefined);
}

/**
 * Connects to NATS, and reconnects for ever after the first success. Messages that are published while the connection
 * is lost are lost, so everything that matters goes through JetStream and is retried (`publisher`). Throws
 * `NatsUnavailableError` if no server listens until the deadline, and `NatsAccessError` if the user is refused.
 */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  const access = splitUrl(options);
  const inboxPrefix = options.inboxPrefix ?? inboxPrefixOfUser(access.user);
  const deadline = performance.now() + (options.deadlineMs ?? 5_000);
  for (;;) {
    try {
      const connection = await connect({
        servers: access.servers,
        ...(access.user === undefined ? {} : { user: access.user, pass: access.password ?? '' }),
        name: options.name,
        inboxPrefix,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 200,
        reconnectJitter: 100,
        // A broker that reloads its configuration may refuse a known user for a moment.
        ignoreAuthErrorAbort: true,
        // A trace for each request costs more than the request.
        noAsyncTraces: true,
        pingInterval: 10_000,
        timeout: Math.max(500, Math.min(5_000, deadline - performance.now())),
      });
      inboxPrefixes.set(connection, inboxPrefix);
      if (options.onStatus !== undefined) watchStatus(connection, options.onStatus);
      return connection;
    } catch (error) {
      if (isAccessRefused(error)) throw accessError(access, error);
      if (performance.now() >= deadline) throw unavailableError(access, error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function watchStatus(connection: NatsConnection, onStatus: (message: string) => void): void {
  const watch = async (): Promise<void> => {
    for await (const status of connection.status()) {
      const message = describe(status);
      if (message !== null) onStatus(message);
    }
  };
  watch().catch((error: unknown) => onStatus(`watching the connection to NATS failed: ${String(error)}`));
}

function describe(status: Status): string | null {
  switch (status.type) {
    case 'disconnect':
      return `lost the connection to NATS at ${status.server}; trying again until it is back`;
    case 'reconnect':
      return `connected to NATS at ${status.server} again`;
    case 'error':
      return `NATS reports: ${status.error.message}`;
    case 'slowConsumer':
      return `the subscription to ${status.sub.getSubject()} is falling behind: ${status.pending} messages wait`;
    case 'ldm':
      return 'the NATS server is about to shut down';
    default:
      return null;
  }
}

interface SplitAccess {
  readonly servers: string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** The client library does not read the user from the address. An address with a password must not get into a log. */
function splitUrl(options: NatsAccess): SplitAccess {
  let { user, password } = options;
  const servers = options.url.split(',').map((part) => {
    const text = part.trim();
    const address = text.includes('://') ? text : `nats://${text}`;
    if (!URL.canParse(address) || new URL(address).hostname === '') {
      throw new NatsUnavailableError(
        `"${text.replace(/^(.*\/\/)?[^@]*@/, '$1')}" is not the address of a NATS server. It should look like nats://127.0.0.1:4222.`,
      );
    }
    const url = new URL(address);
    if (url.username !== '') {
      user ??= decodeURIComponent(url.username);
      password ??= decodeURIComponent(url.password);
    }
    return `${url.protocol}//${url.hostname}:${url.port || '4222'}`;
  });
  return { servers, user, password };
}

function isAccessRefused(error: unknown): boolean {
  return error instanceof AuthorizationError || (error instanceof Error && isAccessRefused(error.cause));
}

function accessError(access: SplitAccess, cause: unknown): NatsAccessError {
  const who = access.user === undefined ? 'a connection without a user' : `the user "${access.user}"`;
  return new NatsAccessError(
    `The NATS server at ${access.servers.join(', ')} refused ${who}. ` +
      'Check the user and password (NATS_URL may hold them: nats://user:password@host:4222).',
    { cause },
  );
}

function unavailableError(access: SplitAccess, cause: unknown): NatsUnavailableError {
  return new NatsUnavailableError(
    `No NATS server answered at ${access.servers.join(', ')}. ` +
      'Start the network with "dellm up", or check NATS_URL and that the server runs.',
    { cause },
  );
}
