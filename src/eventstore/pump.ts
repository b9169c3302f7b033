import type { Readable } from 'node:stream';

/** An object of the stream, or a mark at its place among the objects. */
export type Pumped<T, M> =
  | { readonly kind: 'object'; readonly object: T }
  | { readonly kind: 'mark'; readonly mark: M };

export interface Pump<T, M> {
  /** Adds a mark after everything that is in the stream now. */
  mark(mark: M): void;
  /** Objects and marks in order, until the stream ends or the signal aborts. Throws the stream's error. */
  [Symbol.asyncIterator](): AsyncGenerator<Pumped<T, M>>;
}

/**
 * Reads an object stream at the consumer's pace. The client reports checkpoints by callback, while earlier
 * events may still be in the stream's buffer. If such a checkpoint were used at once, those events would be
 * skipped after a lost connection.
 *
 * @param silenceMs throws `PumpSilenceError` if nothing arrives for this long; `undefined` waits forever
 */
export function createPump<T, M = never>(
  stream: Readable,
  signal: AbortSignal,
  silenceMs: number | undefined,
): Pump<T, M> {
  const marks: { readonly after: number; readonly mark: M }[] = [];
  let taken = 0;
  let ended = false;
  let failure: unknown;
  let wake = () => {};

  stream.on('readable', () => wake());
  stream.on('close', () => {
    // Closed before its end: it was destroyed, for instance because the client was replaced. The rest was not
    // read.
    if (!stream.readableEnded) failure ??= new PumpCutError();
    ended = true;
    wake();
  });
  stream.on('end', () => {
    ended = true;
    wake();
  });
  // Stays registered: the client reports some errors after the stream was given up.
  stream.on('error', (error) => {
    failure ??= error;
    wake();
  });

  async function* iterate(): AsyncGenerator<Pumped<T, M>> {
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        const mark = marks[0];
        if (mark !== undefined && mark.after <= taken) {
          marks.shift();
          yield { kind: 'mark', mark: mark.mark };
          continue;
        }
        const object: T | null = stream.read();
        if (object !== null) {
          taken += 1;
          yield { kind: 'object', object };
          continue;
        }
        if (failure !== undefined) throw failure;
        if (ended) return;
        await arrival();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  function arrival(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer =
        silenceMs === undefined
          ? undefined
          : setTimeout(() => reject(new PumpSilenceError(silenceMs)), silenceMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    mark: (mark) => {
      marks.push({ after: taken + stream.readableLength, mark });
      wake();
    },
    [Symbol.asyncIterator]: iterate,
  };
}

export class PumpCutError extends Error {
  override readonly name = 'PumpCutError';
  constructor() {
    super('The stream from the event store was closed before its end.');
  }
}

export class PumpSilenceError extends Error {
  override readonly name = 'PumpSilenceError';
  constructor(silenceMs: number) {
    super(`The event store sent nothing for ${silenceMs} ms.`);
  }
}
