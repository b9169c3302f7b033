/** How long a question may take, in milliseconds. */
export const ASK_TIMEOUT_MS = { default: 60_000, least: 1_000, most: 10 * 60_000 } as const;
