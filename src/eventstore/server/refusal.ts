import { Metadata, type ServiceError, status } from '@grpc/grpc-js';

/** A refusal as a gRPC error. EventStoreDB's clients read the kind of error from the metadata key `exception`. */
export class Refusal extends Error implements ServiceError {
  override readonly name = 'Refusal';
  readonly code: status;
  readonly details: string;
  readonly metadata = new Metadata();
  constructor(code: status, details: string, metadata: Readonly<Record<string, string>> = {}) {
    super(details);
    this.code = code;
    this.details = details;
    for (const [key, value] of Object.entries(metadata)) this.metadata.set(key, value);
  }
}

export function invalid(details: string): Refusal {
  return new Refusal(status.INVALID_ARGUMENT, details);
}

export function unimplemented(what: string): Refusal {
  return new Refusal(
    status.UNIMPLEMENTED,
    `The embedded event store does not have ${what}. Connect to an EventStoreDB server for it.`,
  );
}

export function streamDeleted(stream: string): Refusal {
  return new Refusal(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': headerText(stream),
  });
}

export function wrongExpectedVersion(
  operation: string,
  stream: string,
  expected: string,
  actual: number,
): Refusal {
  return new Refusal(
    status.FAILED_PRECONDITION,
    `${operation} failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': headerText(stream),
      'expected-version': expected,
      'actual-version': actual < 0 ? '' : String(actual),
    },
  );
}

export function appendTooLarge(maxBytes: number): Refusal {
  return new Refusal(status.INVALID_ARGUMENT, `Maximum Append Size of ${maxBytes} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maxBytes),
  });
}

/** Converts any error to one that gRPC can send. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(status.INTERNAL, error instanceof Error ? error.message : String(error));
}

/** HTTP headers allow only printable ASCII. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
