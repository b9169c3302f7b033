import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import unpack from '@eventstore/db-client/dist/streams/appendToStream/unpackError.js';
import errors from '@eventstore/db-client/dist/utils/CommandError.js';
import uuids from '@eventstore/db-client/dist/utils/grpcUUID.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { CallOptions, ClientDuplexStream, Client as GrpcClient, Metadata } from '@grpc/grpc-js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import type { EncodedEvent } from './arguments.ts';
import type { ExpectedRevision } from './port.ts';
import { AttemptTimeoutError, ConnectionLostError } from './transient.ts';

export interface Appended {
  readonly revision: number;
  readonly position: number;
}

/**
 * The internals of the client (6.2.1, pinned) that are used here: its connection, its credentials, and its
 * repair of a lost connection. Its own `appendToStream` does not work in a process with several connections: it
 * has one table of appends for all of them. A broken connection therefore rejects the appends of the others,
 * and their late answers throw inside a gRPC callback, where nothing can catch them. It also waits forever for
 * lost answers.
 */
interface ClientInternals {
  getGRPCClient<C extends GrpcClient>(type: new (...args: never[]) => C, name: string): Promise<C>;
  callArguments(options: object, callOptions: CallOptions): [Metadata, CallOptions];
  handleError(client: GrpcClient, error: Error): Promise<void>;
}

type Call = ClientDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>;

interface Waiting {
  readonly stream: string;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** Appends over one `BatchAppend` call, which is opened with the first append and again after it has failed. */
export class BatchAppender {
  readonly #client: EventStoreDBClient;
  readonly #waiting = new Map<string, Waiting>();
  #call: Promise<Call> | undefined;

  constructor(client: EventStoreDBClient) {
    this.#client = client;
  }

  /**
   * Rejects with the client's errors (`WrongExpectedVersionError` …), or with `AttemptTimeoutError` if there is
   * no answer within `ms`. In the second case the result of the append is unknown.
   */
  async append(
    stream: string,
    events: readonly EncodedEvent[],
    expected: ExpectedRevision,
    ms: number,
  ): Promise<Appended> {
    const id = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Appended>((resolve, reject) => {
        timer = setTimeout(() => reject(new AttemptTimeoutError(ms)), ms);
        this.#waiting.set(id, { stream, resolve, reject });
        const request = batchRequest(id, stream, events, expected);
        this.#open().then((call) => call.write(request), reject);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Ends the call. Appends without an answer are rejected. */
  close(): void {
    this.#call?.then((call) => call.cancel()).catch(() => {});
    this.#lose(undefined, new ConnectionLostError());
  }

  #open(): Promise<Call> {
    this.#call ??= this.#start();
    return this.#call;
  }

  async #start(): Promise<Call> {
    // The cast is explained at `ClientInternals`.
    const internals = this.#client as unknown as ClientInternals;
    try {
      const client = await internals.getGRPCClient(streamsService.StreamsClient, 'BatchAppend');
      const call = client.batchAppend(...internals.callArguments({}, { deadline: Infinity }));
      const started = this.#call;
      call.on('data', (response: streams.BatchAppendResp) => this.#receive(response));
      call.on('end', () => this.#lose(started, new ConnectionLostError()));
      call.on('error', (error: Error) => {
        this.#lose(started, errors.convertToCommandError(error));
        void internals.handleError(client, error);
      });
      return call;
    } catch (error) {
      this.#call = undefined;
      throw error;
    }
  }

  #lose(call: Promise<Call> | undefined, error: Error): void {
    // The end of an older call does not concern appends on a newer one.
    if (call !== undefined && call !== this.#call) return;
    this.#call = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  #receive(response: streams.BatchAppendResp): void {
    const waiting = this.#waiting.get(uuids.parseUUID(response.getCorrelationId()) ?? '');
    // The answer arrived after its deadline.
    if (waiting === undefined) return;
    const failure = response.getError();
    if (failure !== undefined) {
      waiting.reject(unpack.unpackToCommandError(failure, waiting.stream));
      return;
    }
    const success = response.getSuccess();
    waiting.resolve({
      revision: Number(success?.getCurrentRevision()),
      position: Number(success?.getPosition()?.getCommitPosition() ?? 0),
    });
  }
}

function batchRequest(
  id: string,
  stream: string,
  events: readonly EncodedEvent[],
  expected: ExpectedRevision,
): streams.BatchAppendReq {
  // Without a deadline, because it is a time of day, and the server's clock may differ from this one by more.
  const options = new streams.BatchAppendReq.Options().setStreamIdentifier(
    new shared.StreamIdentifier().setStreamName(Buffer.from(stream)),
  );
  if (expected === 'any') options.setAny(new empty.Empty());
  else if (expected === 'no-stream') options.setNoStream(new empty.Empty());
  else if (expected === 'stream-exists') options.setStreamExists(new empty.Empty());
  else options.setStreamPosition(String(expected));
  const messages = events.map((event) => {
    const message = new streams.BatchAppendReq.ProposedMessage()
      .setId(new shared.UUID().setString(event.id))
      .setData(event.data)
      .setCustomMetadata(event.metadata);
    message.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
    return message;
  });
  return new streams.BatchAppendReq()
    .setCorrelationId(new shared.UUID().setString(id))
    .setOptions(options)
    .setProposedMessagesList(messages)
    .setIsFinal(true);
}
