import { reasonOf } from './log.ts';
import type { Workplace } from './mailbox.ts';
import type { Delivery } from './transport.ts';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 3_000;
/** Most bytes of a dead message's body that are kept. */
const KEPT_BYTES = 64 * 1024;

/**
 * Records a message that can never be processed, then ends it. `deliveries` are all deliveries of the message
 * that are in hand. If the message cannot be recorded, asks for it again and returns false.
 */
export async function bury(
  deliveries: readonly Delivery[],
  reason: string,
  { transport, clock, onLog }: Pick<Workplace, 'transport' | 'clock' | 'onLog'>,
): Promise<boolean> {
  const [delivery] = deliveries;
  if (!delivery) return true;
  const { kind, id, device, headers, body, attempt } = delivery;
  const details = {
    at: new Date(clock.now()).toISOString(),
    device,
    messageId: headers.messageId ?? null,
    correlationId: headers.correlationId ?? null,
    causationId: headers.causationId ?? null,
    attempt,
    bytes: body.length,
    // Invalid UTF-8 becomes U+FFFD here. The text is for people; nothing processes it again.
    body: new TextDecoder().decode(body.subarray(0, KEPT_BYTES)),
  };
  try {
    await transport.recordDead({ kind, id, reason, details });
  } catch (error) {
    onLog('error', `a dead message to ${kind} ${id} could not be recorded: ${reasonOf(error)}`);
    for (const each of deliveries) each.nak(delayOf(attempt));
    return false;
  }
  const { messageId } = details;
  onLog('error', `a message to ${kind} ${id} was given up: ${reason}`, { messageId, device });
  for (const each of deliveries) each.term(reason);
  return true;
}

/** The delay before a message with this many deliveries comes again, in milliseconds. */
export function delayOf(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
}
