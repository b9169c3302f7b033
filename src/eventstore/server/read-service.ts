import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { encodeEvent, eventResponse } from './read-response.ts';
import { asRefusal, streamDeleted } from './refusal.ts';
import type { ReadRequest } from './requests.ts';
import { readRequest } from './requests.ts';
import type { EventRow, Storage } from './storage.ts';

/** A message, or an encoded event. */
export type ReadMessage = streams.ReadResp | Buffer;
export type ReadCall = ServerWritableStream<streams.ReadReq, ReadMessage>;

/** Size of a page in bytes, approximately. A page has 8 to 512 events. */
const pageBytes = 2 * 1024 * 1024;

/** Serves reads and catch-up subscriptions, of one stream and of `$all`. */
export async function serveRead(storage: Storage, call: ReadCall): Promise<void> {
  try {
    await new Reading(storage, call, readRequest(call.request)).run();
    call.end();
  } catch (error) {
    call.emit('error', asRefusal(error));
  }
}

class Reading {
  readonly #storage: Storage;
  readonly #call: ReadCall;
  readonly #request: ReadRequest;
  #considered = 0;
  #left: number;
  #pageLength = 32;
  /** Resumes the reading after the client reads on, after a commit, or when the call is cancelled. */
  #wake = () => {};

  constructor(storage: Storage, call: ReadCall, request: ReadRequest) {
    this.#storage = storage;
    this.#call = call;
    this.#request = request;
    this.#left = request.limit ?? Infinity;
    call.on('drain', () => this.#wake());
    call.on('cancelled', () => this.#wake());
  }

  async run(): Promise<void> {
    const { stream } = this.#request;
    if (this.#isSubscription) {
      const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID());
      await this.#send(new streams.ReadResp().setConfirmation(confirmation));
    }
    if (stream === undefined) await this.#readAll();
    else await this.#readStream(stream);
  }

  get #isSubscription(): boolean {
    return this.#request.limit === undefined;
  }

  async #readStream(stream: string): Promise<void> {
    const { backwards, from } = this.#request;
    const { first, last, tombstone } = this.#storage.visibleRange(stream);
    if (tombstone) throw streamDeleted(stream);
    if (!this.#isSubscription && first > last) {
      const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
      const notFound = new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifier);
      await this.#send(new streams.ReadResp().setStreamNotFound(notFound));
      return;
    }
    let next: number;
    if (from === 'start') next = 0;
    else if (from === 'end') next = backwards ? last : last + 1;
    else next = this.#isSubscription ? from + 1 : from;
    await this.#sendPages(
      (length) => {
        // `$maxCount` and `$tb` may hide more events between two pages.
        const visible = this.#storage.visibleRange(stream).first;
        if (!backwards) next = Math.max(next, visible);
        const page = this.#storage.streamPage(stream, next, length, backwards);
        return page.filter((event) => event.revision >= visible);
      },
      (event) => {
        next = event.revision + (backwards ? -1 : 1);
      },
    );
  }

  async #readAll(): Promise<void> {
    const { backwards, from } = this.#request;
    let next: number;
    if (from === 'start') next = 0;
    else if (from === 'end') next = this.#storage.end;
    else next = this.#isSubscription ? from + 1 : from;
    await this.#sendPages(
      (length) => this.#storage.allPage(next, length, backwards),
      (event) => {
        next = event.position + (backwards ? 0 : 1);
      },
    );
  }

  /** Sends page after page: for a read until the end or its limit, for a subscription until it is cancelled. */
  async #sendPages(page: (length: number) => EventRow[], passed: (event: EventRow) => void): Promise<void> {
    let isLive = false;
    while (!this.#call.cancelled && this.#left > 0) {
      const commits = this.#storage.commits;
      const events = page(Math.min(this.#left, this.#pageLength));
      for (const event of events) {
        passed(event);
        await this.#consider(event);
        if (this.#call.cancelled || this.#left === 0) return;
      }
      if (events.length > 0) {
        this.#adaptPageLength(events);
        // Appends and other readers get a turn between two pages.
        await new Promise(setImmediate);
      } else if (!this.#isSubscription) {
        return;
      } else if (!isLive) {
        isLive = true;
        await this.#send(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
      } else {
        await this.#commitAfter(commits);
      }
    }
  }

  async #consider(event: EventRow): Promise<void> {
    const { filter, uuid } = this.#request;
    if (filter === undefined || filter.matches(event)) {
      this.#left -= 1;
      const sent = this.#send(uuid === 'string' ? encodeEvent(event) : eventResponse(event, uuid));
      if (sent !== undefined) await sent;
    }
    if (filter === undefined || !this.#isSubscription) return;
    this.#considered += 1;
    if (this.#considered < filter.checkpointInterval) return;
    this.#considered = 0;
    const position = String(event.position);
    const checkpoint = new streams.ReadResp.Checkpoint()
      .setCommitPosition(position)
      .setPreparePosition(position);
    await this.#send(new streams.ReadResp().setCheckpoint(checkpoint));
  }

  /** Resolves when the client can receive more; `undefined` if it can at once. */
  #send(message: ReadMessage): Promise<void> | undefined {
    if (this.#call.cancelled || this.#call.write(message)) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #commitAfter(commits: number): Promise<void> {
    if (this.#storage.commits > commits || this.#call.cancelled) return;
    await new Promise<void>((resolve) => {
      const callOff = this.#storage.onceCommitted(resolve);
      this.#wake = () => {
        callOff();
        resolve();
      };
    });
  }

  #adaptPageLength(events: readonly EventRow[]): void {
    const bytes = events.reduce((sum, event) => sum + event.data.length + event.metadata.length + 256, 0);
    const fitting = Math.floor((pageBytes * events.length) / bytes);
    this.#pageLength = Math.min(512, Math.max(8, fitting));
  }
}
