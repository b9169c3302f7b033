import { type Command, Option } from 'commander';
import type { NatsConnection } from 'nats';
import type { HistoryEvent, HistoryOutput } from '../../../gateway/schemas.ts';
import { someText, wholeNumber } from '../../arguments.ts';
import { finish } from '../../finish.ts';
import { printJson, printLines } from '../../output.ts';
import { printableLine } from '../../printable.ts';
import { withNetwork } from '../../session.ts';

interface Options {
  readonly stream?: string;
  readonly limit: number;
  readonly json: boolean;
}

/** Data that are too long for a message stand in the store alone. */
type Shown = Omit<HistoryEvent, 'data'> & { readonly data: HistoryEvent['data'] | null };

const PAGE_EVENTS = 200;
const SHOWN_DATA = 100;

export function addTailCommand(history: Command): void {
  history
    .command('tail')
    .description('the last events, then new ones as they come, until Ctrl-C')
    .option('--stream <name>', 'only this stream, such as "node-mathematical-01"', someText)
    .addOption(
      new Option('--limit <events>', 'past events to begin with')
        .argParser(wholeNumber(0, 100_000))
        .default(20),
    )
    .option('--json', 'print one JSON object a line', false)
    .action((options) => finish(() => tail(options)));
}

/**
 * Listens first and reads the past then, so that nothing falls in between; what comes both ways is shown once.
 * New events arrive by the relay, in the order of the store.
 */
function tail({ stream, limit, json }: Options): Promise<number> {
  return withNetwork(async (nc) => {
    const { decodeJson } = await import('../../../events/envelope.ts');
    const { HistoryEvent: eventSchema } = await import('../../../gateway/schemas.ts');
    const relayed = eventSchema.extend({ data: eventSchema.shape.data.nullable() });
    const { eventSubject } = await import('../../../messaging/subjects.ts');
    const subject = stream === undefined ? 'dellm.evt.>' : eventSubject(stream, '_').replace(/_$/, '*');
    const events = nc.subscribe(subject);
    const stop = (): void => events.unsubscribe();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
    process.stdout.once('error', stop);
    await nc.flush();

    const show = (event: Shown): void => (json ? printJson(event) : printLines([lineOf(event)]));
    let shownTo = -1;
    for (const event of await lastEvents(nc, stream, limit)) {
      show(event);
      shownTo = event.position;
    }
    for await (const message of events) {
      const event = relayed.parse(decodeJson(message.data));
      if (event.position > shownTo) show(event);
    }
    return 0;
  });
}

/** The last events of the history or of one stream, the oldest of them first. */
async function lastEvents(
  nc: NatsConnection,
  stream: string | undefined,
  limit: number,
): Promise<readonly HistoryEvent[]> {
  const { request } = await import('../../../network/client.ts');
  const { HistoryOutput: pageSchema } = await import('../../../gateway/schemas.ts');
  const found: HistoryEvent[] = [];
  for (let after: number | null = null; found.length < limit; ) {
    const page: HistoryOutput = await request(
      nc,
      'dellm.history',
      {
        direction: 'backwards',
        limit: Math.min(PAGE_EVENTS, limit - found.length),
        ...(stream !== undefined && { stream }),
        ...(after !== null && { after }),
      },
      pageSchema,
    );
    found.push(...page.events);
    if (page.next === null) break;
    after = page.next;
  }
  return found.reverse();
}

function lineOf({ position, created, stream, revision, type, data }: Shown): string {
  const { at: _at, ...rest } = data ?? { at: '', data: 'too long to be shown' };
  const shown = JSON.stringify(rest);
  const cut = shown.length > SHOWN_DATA ? `${shown.slice(0, SHOWN_DATA)}…` : shown;
  return printableLine(
    `${String(position).padStart(8)}  ${created}  ${`${stream}#${revision}`.padEnd(32)} ${type}  ${cut}`,
  );
}
