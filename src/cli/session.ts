import type { NatsConnection } from 'nats';

/** Runs a command with a connection to the running network. Throws `NoNetworkError` if there is none. */
export async function withNetwork(command: (nc: NatsConnection) => Promise<number>): Promise<number> {
  const { connectClient, findNetwork } = await import('../network/client.ts');
  const nc = await connectClient(await findNetwork());
  try {
    return await command(nc);
  } finally {
    await nc.close();
  }
}

/** Most rows in one page of a service. */
const PAGE_ROWS = 500;

/** Reads the pages of an answer: up to `limit` rows. The last page says whether there are more. */
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

/** The line below a table that is not complete. */
export function moreHint(next: string | null): string[] {
  return next === null ? [] : ['… there are more; --limit shows them'];
}
