/** How the embedded event store's process ends, for whoever started it. */
export const exitCodes = {
  ok: 0,
  /** Anything else, a taken port above all. */
  failed: 1,
  usage: 2,
  /** The file is foreign, corrupt or from a newer version. Starting again does not help. */
  damaged: 3,
  /** Another server has the file. */
  'in-use': 4,
  /** The file cannot be opened or made. */
  unusable: 5,
} as const;
