import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream, ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { appendedBytes, maxAppendBytes } from '../arguments.ts';
import type { ExpectedRevision } from '../port.ts';
import {
  appendResponse,
  batchRefusal,
  batchResponse,
  batchTimeout,
  batchTooLarge,
} from './append-responses.ts';
import {
  appendTooLarge,
  asRefusal,
  invalid,
  Refusal,
  streamDeleted,
  wrongExpectedVersion,
} from './refusal.ts';
import { assertStorable, expectedRevision, proposedEvent, streamName, uuidOf } from './requests.ts';
import type { ProposedEvent, Storage, WriteOutcome } from './storage.ts';

/**
 * Most bytes of unanswered appends on one connection. Above it, the connection is not read until some are
 * answered.
 */
const maxWaitingBytes = 32 * 1024 * 1024;

/** Most appends that a connection may begin without finishing them. */
const maxUnfinished = 256;

/** The events of one append while they arrive. */
class Proposal {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: ProposedEvent[] = [];
  bytes = 0;

  constructor(stream: string, expected: ExpectedRevision) {
    this.stream = stream;
    this.expected = expected;
  }

  add(event: ProposedEvent): void {
    this.bytes += appendedBytes(event);
    if (this.bytes > maxAppendBytes) throw appendTooLarge(maxAppendBytes);
    this.events.push(event);
  }

  store(storage: Storage): Promise<WriteOutcome> {
    assertStorable(this.stream, this.events);
    return storage.append(this.stream, this.expected, this.events);
  }
}

/** `Append`: one append per call. The options come first, then one event per message. */
export function serveAppend(
  storage: Storage,
  call: ServerReadableStream<streams.AppendReq, streams.AppendResp>,
  answer: sendUnaryData<streams.AppendResp>,
): void {
  let proposal: Proposal | undefined;
  let refused: Refusal | undefined;
  call.on('data', (request: streams.AppendReq) => {
    if (refused !== undefined) return;
    try {
      const options = request.getOptions();
      const message = request.getProposedMessage();
      if (options !== undefined) {
        const revision = options.hasRevision() ? options.getRevision() : undefined;
        proposal = new Proposal(
          streamName(options.getStreamIdentifier()),
          expectedRevision(options, revision),
        );
      } else if (message !== undefined && proposal !== undefined) {
        proposal.add(proposedEvent(message));
      } else {
        throw invalid('An append must send its options first, then its events.');
      }
    } catch (error) {
      refused = asRefusal(error);
    }
  });
  call.on('end', () => {
    void (async () => {
      try {
        if (refused !== undefined) throw refused;
        if (proposal === undefined) throw invalid('The append has no options.');
        const outcome = await proposal.store(storage);
        answer(null, appendResponse(proposal.stream, proposal.expected, outcome));
      } catch (error) {
        answer(asRefusal(error));
      }
    })();
  });
  call.on('error', () => {});
}

/** `BatchAppend`: many appends over one call, each in one or more messages, identified by correlation ids. */
export function serveBatchAppend(
  storage: Storage,
  call: ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>,
): void {
  const unfinished = new Map<string, Proposal>();
  let waitingBytes = 0;
  let waitingAppends = 0;
  let ended = false;

  const answer = (request: streams.BatchAppendReq, stream: string, response: streams.BatchAppendResp) => {
    if (call.cancelled) return;
    // Without the stream's name, the client fails inside its data handler.
    const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
    call.write(response.setCorrelationId(request.getCorrelationId()).setStreamIdentifier(identifier));
  };

  const store = async (request: streams.BatchAppendReq, proposal: Proposal) => {
    waitingBytes += proposal.bytes;
    waitingAppends += 1;
    if (waitingBytes > maxWaitingBytes) call.pause();
    try {
      answer(request, proposal.stream, batchResponse(proposal.expected, await proposal.store(storage)));
    } catch (error) {
      answer(request, proposal.stream, batchRefusal(asRefusal(error)));
    }
    waitingBytes -= proposal.bytes;
    waitingAppends -= 1;
    if (call.isPaused() && waitingBytes <= maxWaitingBytes) call.resume();
    if (ended && waitingAppends === 0) call.end();
  };

  const receive = (request: streams.BatchAppendReq) => {
    const id = uuidOf(request.getCorrelationId());
    const options = request.getOptions();
    let stream = '';
    try {
      if (options !== undefined) {
        stream = streamName(options.getStreamIdentifier());
        if (isOver(options.getDeadline())) {
          answer(request, stream, batchTimeout());
          return;
        }
        const revision = options.hasStreamPosition() ? options.getStreamPosition() : undefined;
        unfinished.set(id, new Proposal(stream, expectedRevision(options, revision)));
      }
      const proposal = unfinished.get(id);
      // The rest of an append that was already refused.
      if (proposal === undefined) return;
      stream = proposal.stream;
      for (const message of request.getProposedMessagesList()) proposal.add(proposedEvent(message));
      if (request.getIsFinal()) {
        unfinished.delete(id);
        void store(request, proposal);
      } else if (unfinished.size > maxUnfinished) {
        const tooMany = `More than ${maxUnfinished} appends were begun without finishing any.`;
        call.emit('error', new Refusal(status.RESOURCE_EXHAUSTED, tooMany));
      }
    } catch (error) {
      unfinished.delete(id);
      const refusal = asRefusal(error);
      const isTooLarge = refusal.metadata.get('exception').includes('maximum-append-size-exceeded');
      answer(request, stream, isTooLarge ? batchTooLarge(maxAppendBytes) : batchRefusal(refusal));
    }
  };

  call.on('data', (request: streams.BatchAppendReq) => {
    try {
      receive(request);
    } catch (error) {
      call.emit('error', asRefusal(error));
    }
  });
  call.on('end', () => {
    ended = true;
    if (waitingAppends === 0) call.end();
  });
  call.on('error', () => {});
}

/** `Delete`: the stream reads as not found. A later append continues its revisions. */
export async function serveDelete(
  storage: Storage,
  call: ServerUnaryCall<streams.DeleteReq, streams.DeleteResp>,
  answer: sendUnaryData<streams.DeleteResp>,
): Promise<void> {
  try {
    const { stream, expected } = deletion(call.request.getOptions());
    const position = positionOf('Delete', stream, expected, await storage.delete(stream, expected));
    answer(
      null,
      new streams.DeleteResp().setPosition(
        new streams.DeleteResp.Position().setCommitPosition(position).setPreparePosition(position),
      ),
    );
  } catch (error) {
    answer(asRefusal(error));
  }
}

/** `Tombstone`: the stream accepts no more events. */
export async function serveTombstone(
  storage: Storage,
  call: ServerUnaryCall<streams.TombstoneReq, streams.TombstoneResp>,
  answer: sendUnaryData<streams.TombstoneResp>,
): Promise<void> {
  try {
    const { stream, expected } = deletion(call.request.getOptions());
    const position = positionOf('Delete', stream, expected, await storage.tombstone(stream, expected));
    answer(
      null,
      new streams.TombstoneResp().setPosition(
        new streams.TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position),
      ),
    );
  } catch (error) {
    answer(asRefusal(error));
  }
}

function deletion(options: streams.DeleteReq.Options | streams.TombstoneReq.Options | undefined) {
  if (options === undefined) throw invalid("A delete needs 'options'.");
  const stream = streamName(options.getStreamIdentifier());
  if (stream.startsWith('$')) throw invalid(`The system stream '${stream}' cannot be deleted.`);
  const revision = options.hasRevision() ? options.getRevision() : undefined;
  return { stream, expected: expectedRevision(options, revision) };
}

function positionOf(
  operation: string,
  stream: string,
  expected: ExpectedRevision,
  outcome: WriteOutcome,
): string {
  if (outcome.kind === 'deleted') throw streamDeleted(stream);
  if (outcome.kind === 'conflict') {
    throw wrongExpectedVersion(operation, stream, String(expected), outcome.current);
  }
  return String(outcome.position);
}

function isOver(deadline: { toDate(): Date } | undefined): boolean {
  return deadline !== undefined && deadline.toDate().getTime() <= Date.now();
}
