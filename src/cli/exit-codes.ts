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

const NO_NETWORK: ReadonlySet<string> = new Set([
  'NoNetworkError',
  'NatsUnavailableError',
  'NatsAccessError',
]);

/** What the command line asks for does not exist, or does not go together. */
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

/** Errors are told apart by name, so that saying how a command failed loads nothing of the network. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return EXIT.failed;
  if (error.name === 'AbortError') return EXIT.interrupted;
  if (ASKED_WRONG.has(error.name)) return EXIT.usage;
  if (error.name === 'NetworkAnswerError') {
    return 'code' in error && error.code === 'timeout' ? EXIT.unknown : EXIT.refused;
  }
  return NO_NETWORK.has(error.name) ? EXIT.noNetwork : EXIT.failed;
}

/** The command line asks for something that does not exist or does not go together. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
