import { reasonOf } from './log.ts';
import type { Workplace } from './mailbox.ts';
import type { Delivery } from './transport.ts';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 3_000;
/** So much of a dead message's body is kept, in bytes. */
const KEPT_BYTES = 64 * 1024;

/**
 * Records a message that nobody can process, then ends it. `deliveries` are all those of the message that are in hand.
 * If it cannot be recorded it comes back, and `false` says so.
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
    // Bad UTF-8 is shown as U+FFFD here: this is for people to look at, not to be processed again.
    body: new TextDecoder().decode(body.subarray(0, KEPT_BYTES)),
  };
  try {
    await transport.recordDead({ kind, id, reason, details });
  } catch (error) {
    onLog('error', `a bad message to ${kind} ${id} could not be recorded: ${reasonOf(error)}`);
    for (const each of deliveries) each.nak(delayOf(attempt));
    return false;
  }
  const { messageId } = details;
  onLog('error', `a message to ${kind} ${id} was given up: ${reason}`, { messageId, device });
  for (const each of deliveries) each.term(reason);
  return true;
}

/** When a message that was delivered so often shall come again, in milliseconds. */
export function delayOf(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
}
