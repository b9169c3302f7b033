/** The exit codes that scripts can rely on. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The network answered, and the answer is "I don't know" or came too late. */
  unknown: 3,
  /** No network runs, or it does not answer. */
  noNetwork: 4,
  /** The network refused: no such account, no credits, no such query … */
  refused: 5,
  interrupted: 130,
} as const;

const NO_NETWORK: ReadonlySet<string> = new Set([
  'NoNetworkError',
  'NatsUnavailableError',
  'NatsAccessError',
]);

/** Errors that say that the command line is wrong. */
const ASKED_WRONG: ReadonlySet<string> = new Set([
  'UsageError',
  'ConfigError',
  'ExperimentFolderError',
  'BranchError',
  'MomentError',
  'NoBrokerUserError',
  'NoHistoryError',
  'OutputExistsError',
  'UnknownNodeError',
]);

/** Compares errors by name, so that this file need not load the network's code. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return EXIT.failed;
  if (error.name === 'AbortError') return EXIT.interrupted;
  if (ASKED_WRONG.has(error.name)) return EXIT.usage;
  if (error.name === 'NetworkAnswerError') {
    return 'code' in error && error.code === 'timeout' ? EXIT.unknown : EXIT.refused;
  }
  return NO_NETWORK.has(error.name) ? EXIT.noNetwork : EXIT.failed;
}

/** The command line is wrong: something does not exist, or options do not fit together. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
