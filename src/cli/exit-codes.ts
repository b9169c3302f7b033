import { NetworkAnswerError, NoNetworkError } from './network/client.ts';

/** What scripts can rely on. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command line itself was wrong. */
  usage: 2,
  /** The network answered, and the answer is "I don't know" or came too late. */
  unknown: 3,
  /** No network runs, or it does not answer. */
  noNetwork: 4,
  /** The network refused: no such account, no credits, no such query … */
  refused: 5,
  interrupted: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof NetworkAnswerError) return error.code === 'timeout' ? EXIT.unknown : EXIT.refused;
  if (error instanceof NoNetworkError || (error instanceof Error && error.name === 'NatsUnavailableError')) {
    return EXIT.noNetwork;
  }
  return EXIT.failed;
}
