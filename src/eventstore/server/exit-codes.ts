/** Exit codes of the embedded event store's process. */
export const exitCodes = {
  ok: 0,
  /** Anything else, most often a port in use. */
  failed: 1,
  usage: 2,
  /** The file is foreign, corrupt or from a newer version. Starting again does not help. */
  damaged: 3,
  /** Another server uses the file. */
  'in-use': 4,
  /** The file cannot be opened or created. */
  unusable: 5,
} as const;
