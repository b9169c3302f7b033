/** No NATS server answered in time. */
export class NatsUnavailableError extends Error {
  override readonly name = 'NatsUnavailableError';
}

/** The NATS server refused the user or the password. */
export class NatsAccessError extends Error {
  override readonly name = 'NatsAccessError';
}

/** A stream or consumer of this name exists on the broker with properties that cannot be changed in place. */
export class StreamConfigError extends Error {
  override readonly name = 'StreamConfigError';
}

/** A text that would be a token of a subject is empty, too long, or holds characters that a subject cannot have. */
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
      `Port ${port} of 127.0.0.1 is taken by another program, so the message broker was not started. ` +
        `Stop that program (to see it: "ss -ltnp sport = :${port}"), or choose another port, or set NATS_URL to use a broker that runs already.`,
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
