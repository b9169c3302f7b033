import type { NatsConnection } from 'nats';

/** Runs a command against the network that runs. Throws `NoNetworkError` where there is none. */
export async function withNetwork(command: (nc: NatsConnection) => Promise<number>): Promise<number> {
  const { connectClient, findNetwork } = await import('../network/client.ts');
  const nc = await connectClient(await findNetwork());
  try {
    return await command(nc);
  } finally {
    await nc.close();
  }
}

/** Rows a service gives at most at a time. */
const PAGE_ROWS = 500;

/** The pages of an answer as one: up to `limit` rows, and where to go on if there are more. */
export async function allPages<Row, Page extends { readonly next: string | null }>(
  limit: number,
  ask: (page: { readonly limit: number; readonly after?: string }) => Promise<Page>,
  rowsOf: (page: Page) => readonly Row[],
): Promise<{ readonly last: Page; readonly rows: readonly Row[] }> {
  const rows: Row[] = [];
  for (let after: string | null = null; ; ) {
    const page: Page = await ask({
      limit: Math.min(PAGE_ROWS, limit - rows.length),
      ...(after !== null && { after }),
    });
    rows.push(...rowsOf(page));
    if (page.next === null || rows.length >= limit) return { last: page, rows };
    after = page.next;
  }
}

/** Told to a person below a table that is not whole. */
export function moreHint(next: string | null): string[] {
  return next === null ? [] : ['… there are more: --limit shows them'];
}
