import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import type { ExpectedRevision } from '../port.ts';
import type { Refusal } from './refusal.ts';
import { streamDeleted } from './refusal.ts';
import type { WriteOutcome } from './storage.ts';

/** Answers to `Append`. There a conflict is a message, and a deleted stream is an error. */
export function appendResponse(
  stream: string,
  expected: ExpectedRevision,
  outcome: WriteOutcome,
): streams.AppendResp {
  switch (outcome.kind) {
    case 'deleted':
      throw streamDeleted(stream);
    case 'stored': {
      const position = new streams.AppendResp.Position()
        .setCommitPosition(String(outcome.position))
        .setPreparePosition(String(outcome.position));
      const success = new streams.AppendResp.Success()
        .setCurrentRevision(String(outcome.revision))
        .setPosition(position);
      return new streams.AppendResp().setSuccess(success);
    }
    case 'conflict': {
      const conflict = new streams.AppendResp.WrongExpectedVersion();
      if (outcome.current < 0) conflict.setCurrentNoStream(new shared.Empty());
      else conflict.setCurrentRevision(String(outcome.current));
      if (expected === 'any') conflict.setExpectedAny(new shared.Empty());
      else if (expected === 'stream-exists') conflict.setExpectedStreamExists(new shared.Empty());
      else if (expected === 'no-stream') conflict.setExpectedNoStream(new shared.Empty());
      else conflict.setExpectedRevision(String(expected));
      return new streams.AppendResp().setWrongExpectedVersion(conflict);
    }
  }
}

/** Answers to `BatchAppend`. Every error is a status with its details packed into an `Any`. */
export function batchResponse(expected: ExpectedRevision, outcome: WriteOutcome): streams.BatchAppendResp {
  switch (outcome.kind) {
    case 'stored': {
      const position = new shared.AllStreamPosition()
        .setCommitPosition(String(outcome.position))
        .setPreparePosition(String(outcome.position));
      const success = new streams.BatchAppendResp.Success()
        .setCurrentRevision(String(outcome.revision))
        .setPosition(position);
      return new streams.BatchAppendResp().setSuccess(success);
    }
    case 'deleted':
      return failure(status.NOT_FOUND, 'StreamDeleted', new shared.StreamDeleted());
    case 'conflict': {
      const conflict = new shared.WrongExpectedVersion();
      if (outcome.current < 0) conflict.setCurrentNoStream(new empty.Empty());
      else conflict.setCurrentStreamRevision(String(outcome.current));
      if (expected === 'any') conflict.setExpectedAny(new empty.Empty());
      else if (expected === 'stream-exists') conflict.setExpectedStreamExists(new empty.Empty());
      else if (expected === 'no-stream') conflict.setExpectedNoStream(new empty.Empty());
      else conflict.setExpectedStreamPosition(String(expected));
      return failure(status.ALREADY_EXISTS, 'WrongExpectedVersion', conflict);
    }
  }
}

export function batchTooLarge(maxBytes: number): streams.BatchAppendResp {
  const details = new shared.MaximumAppendSizeExceeded().setMaxappendsize(maxBytes);
  return failure(status.INVALID_ARGUMENT, 'MaximumAppendSizeExceeded', details);
}

export function batchTimeout(): streams.BatchAppendResp {
  return failure(status.DEADLINE_EXCEEDED, 'Timeout', new shared.Timeout());
}

/** The client shows the message of the status. It knows only the kinds of details above. */
export function batchRefusal(refusal: Refusal): streams.BatchAppendResp {
  return failure(
    refusal.code,
    'BadRequest',
    new shared.BadRequest().setMessage(refusal.details),
    refusal.details,
  );
}

function failure(
  code: status,
  type: string,
  details: { serializeBinary(): Uint8Array },
  message: string = type,
): streams.BatchAppendResp {
  const packed = new any.Any();
  packed.pack(details.serializeBinary(), `event_store.client.${type}`);
  return new streams.BatchAppendResp().setError(
    new statuses.Status().setCode(Number(code)).setMessage(message).setDetails(packed),
  );
}
