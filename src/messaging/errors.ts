/** No NATS server answered in time. */
export class NatsUnavailableError extends Error {
  override readonly name = 'NatsUnavailableError';
}

/** The NATS server refused the user or the password. */
export class NatsAccessError extends Error {
  override readonly name = 'NatsAccessError';
}

/** The broker has a stream or consumer of this name, with properties that cannot be changed in place. */
export class StreamConfigError extends Error {
  override readonly name = 'StreamConfigError';
}

/** A text cannot be a token of a subject: it is empty, too long, or has characters that a subject cannot have. */
export class InvalidSubjectTokenError extends Error {
  override readonly name = 'InvalidSubjectTokenError';
  readonly token: string;
  constructor(token: string) {
    super(
      `${JSON.stringify(token.slice(0, 80))} cannot be an id: ids have 1 to 64 of the characters A-Z a-z 0-9 _ -.`,
    );
    this.token = token;
  }
}

/** Another program listens on the port. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly port: number;
  constructor(port: number) {
    super(
      `Another program uses port ${port} of 127.0.0.1, so the message broker was not started. ` +
        `Stop that program (to find it: "ss -ltnp sport = :${port}"), or choose another port, or set NATS_URL to a running broker.`,
    );
    this.port = port;
  }
}

/** The nats-server that this network needs is not on this machine. */
export class NatsServerMissingError extends Error {
  override readonly name = 'NatsServerMissingError';
}

/** nats-server ended, or did not answer, before it was ready. */
export class NatsServerStartError extends Error {
  override readonly name = 'NatsServerStartError';
}
