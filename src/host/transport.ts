import type { Address } from '../actors/actor.ts';
import type { MessageIds } from '../events/envelope.ts';
import type { JsonObject } from '../eventstore/port.ts';

/** A message as it arrived. Nothing is checked, except that its subject could be read. */
export interface Delivery {
  readonly kind: string;
  readonly id: string;
  /** The device whose broker user published it, from the subject; null if a role of the network did. */
  readonly device: string | null;
  readonly headers: { readonly [Name in keyof MessageIds]: string | undefined };
  readonly body: Uint8Array;
  /** When the broker took the message, by its clock, in milliseconds since 1970. */
  readonly sentAt: number;
  /** 1 for the first delivery. */
  readonly attempt: number;
  ack(): void;
  /** Not now: deliver it again after `delayMs`. */
  nak(delayMs: number): void;
  /** Never deliver it again. */
  term(reason: string): void;
  /** Still being processed: do not deliver it to anyone else yet. */
  working(): void;
}

/** Where a message goes. */
export type Target =
  | { readonly kind: 'command'; readonly to: Address }
  | { readonly kind: 'work'; readonly device: string }
  | { readonly kind: 'reply'; readonly subject: string };

export interface Outgoing extends MessageIds {
  readonly target: Target;
  readonly body: Uint8Array;
}

/** A message that can never be processed, kept for people to look at. */
export interface DeadLetter {
  readonly kind: string;
  readonly id: string;
  readonly reason: string;
  /** When it was given up, its contents, and its origin. */
  readonly details: JsonObject;
}

/** Carries messages to and from the host: over JetStream, or in this process's memory. */
export interface Transport {
  /**
   * Resolves when the broker has stored the message (for a reply: when it is sent). Throws
   * `NatsUnavailableError` while the broker is away, `UnpublishableError`, or any other error.
   */
  publish(message: Outgoing): Promise<void>;
  /** Keeps the message on `dellm.dead.<kind>.<id>`. */
  recordDead(letter: DeadLetter): Promise<void>;
}

/** The broker can never accept this message. Trying again does not help. */
export class UnpublishableError extends Error {
  override readonly name = 'UnpublishableError';
}
