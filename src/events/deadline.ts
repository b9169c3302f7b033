/** An event or a command, as its union names it. */
interface Typed {
  readonly type: string;
  readonly data: object;
}

type DataOf<Union extends Typed, Type extends string> = Extract<Union, { readonly type: Type }>['data'];

/**
 * What the actors of a kind wait for, and until when. Timers, the rows of open deadlines and specs all read
 * this declaration.
 */
export interface Deadlines<Event extends Typed, Command extends Typed> {
  /** Events that open a wait, or change the time of an open one. Null: this event does not. */
  readonly opens: {
    readonly [Type in Event['type']]?: (data: DataOf<Event, Type>) => WaitOf<Command> | null;
  };
  /**
   * Events that meet a wait, with its key. If an event also opens a wait under the same key, it opens it
   * afterwards.
   */
  readonly meets: { readonly [Type in Event['type']]?: (data: DataOf<Event, Type>) => string };
  /** Events after which the actor waits for nothing. */
  readonly meetsAll: readonly Event['type'][];
}

export interface Wait<Data extends object = object> {
  /** What is waited for. An actor has at most one wait for each key. */
  readonly key: string;
  /** ISO 8601. */
  readonly dueAt: string;
  /** Data of the `PassDeadline` that the actor gets at that time. */
  readonly data: Data;
}

/** A wait of an actor that takes these commands. */
export type WaitOf<Command extends Typed> = Wait<DeadlineData<Command>>;

/** Data of the `PassDeadline` among these commands. */
export type DeadlineData<Command extends Typed> = DataOf<Command, 'PassDeadline'>;

/** The result of the entry for an event's type; undefined if there is none. */
export function declared<Event extends Typed, Result>(
  entries: { readonly [Type in Event['type']]?: (data: DataOf<Event, Type>) => Result },
  { type, data }: Event,
): Result | undefined {
  // The entry for an event's type takes the data of that type, but the compiler cannot infer it.
  const entry = entries[type as Event['type']] as ((data: object) => Result) | undefined;
  return entry?.(data);
}
