/** An event or a command, as its union names it. */
interface Typed {
  readonly type: string;
  readonly data: object;
}

type DataOf<Union extends Typed, Type extends string> = Extract<Union, { readonly type: Type }>['data'];

/**
 * What the actors of an aggregate wait for, and until when. It is written here and nowhere else: timers, the rows of
 * open deadlines and specs go by it.
 */
export interface Deadlines<Event extends Typed, Command extends Typed> {
  /** Events that open a wait, or set another time for one that is open. Null: this one does not. */
  readonly opens: {
    readonly [Type in Event['type']]?: (data: DataOf<Event, Type>) => WaitOf<Command> | null;
  };
  /** Events that meet a wait, with its key. One that opens a wait under the same key does that afterwards. */
  readonly meets: { readonly [Type in Event['type']]?: (data: DataOf<Event, Type>) => string };
  /** Events after which the actor waits for nothing. */
  readonly meetsAll: readonly Event['type'][];
}

export interface Wait<Data extends object = object> {
  /** What is waited for. An actor has one wait under a key. */
  readonly key: string;
  /** ISO 8601. */
  readonly dueAt: string;
  /** Of the `PassDeadline` that the actor gets then. */
  readonly data: Data;
}

/** A wait of an actor that takes these commands. */
export type WaitOf<Command extends Typed> = Wait<DeadlineData<Command>>;

/** What the `PassDeadline` among these commands says. */
export type DeadlineData<Command extends Typed> = DataOf<Command, 'PassDeadline'>;

/** What is declared under the type of an event, given its data. */
export function declared<Event extends Typed, Result>(
  entries: { readonly [Type in Event['type']]?: (data: DataOf<Event, Type>) => Result },
  { type, data }: Event,
): Result | undefined {
  // The entry under an event's type takes the data of that type, which the compiler does not follow from here.
  const entry = entries[type as Event['type']] as ((data: object) => Result) | undefined;
  return entry?.(data);
}
