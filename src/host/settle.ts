import type { Outcome, Workplace } from './handle.ts';
import { reasonOf } from './log.ts';
import type { Delivery } from './transport.ts';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 3_000;
/** After so many deliveries a fault that nobody foresaw is given up. A store or broker that is away is waited for without end. */
const MAX_ATTEMPTS = 20;
/** So much of a dead message's body is kept, in bytes. */
const KEPT_BYTES = 64 * 1024;

/** Tells the broker what became of a message. `deliveries` are all those of one message that are in hand. */
export async function settle(
  deliveries: readonly Delivery[],
  outcome: Outcome,
  workplace: Workplace,
): Promise<void> {
  const attempt = Math.max(...deliveries.map((delivery) => delivery.attempt));
  if (outcome.kind === 'done') {
    for (const delivery of deliveries) delivery.ack();
  } else if (outcome.kind === 'poison' || (outcome.bounded && attempt >= MAX_ATTEMPTS)) {
    await bury(deliveries, outcome.reason, workplace);
  } else {
    const [{ kind, id } = { kind: '', id: '' }] = deliveries;
    workplace.onLog('warn', `a message to ${kind} ${id} must wait: ${outcome.reason}`, { attempt });
    for (const delivery of deliveries) delivery.nak(delayOf(attempt));
  }
}

/** Records a message that nobody can process, then ends it. If it cannot be recorded it comes back. */
export async function bury(
  deliveries: readonly Delivery[],
  reason: string,
  { transport, clock, onLog }: Workplace,
): Promise<void> {
  const [delivery] = deliveries;
  if (!delivery) return;
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
    return;
  }
  onLog('error', `a message to ${kind} ${id} was given up: ${reason}`, {
    messageId: details.messageId,
    device,
  });
  for (const each of deliveries) each.term(reason);
}

function delayOf(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
}
