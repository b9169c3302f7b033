import type { NetworkView } from '../actors/network-view.ts';
import { type LiveDevice, NetworkViewBuilder, VIEW_PROJECTIONS } from '../projections/network-view.ts';
import { foldsByType, type Recorded } from '../projections/projection.ts';
import type { ChangedRow } from '../projections/read-model.ts';

/** The read models that decisions go by, folded in memory as events are recorded. */
export class LiveReads {
  readonly #builder = new NetworkViewBuilder();
  readonly #foldsOf = foldsByType(
    VIEW_PROJECTIONS.map((projection) => ({ projection, rows: new Map<string, unknown>() })),
  );
  /** Rows that the view has not been told of, by projection and key. */
  #changed = new Map<string, ChangedRow>();
  #position = 0;
  #view: NetworkView | null = null;

  constructor(devices: readonly LiveDevice[]) {
    this.#builder.setDevices(devices);
  }

  apply(recorded: Recorded): void {
    const { position } = recorded;
    for (const { projection, rows } of this.#foldsOf(recorded.type)) {
      for (const key of projection.keys(recorded)) {
        const row: unknown = projection.fold(rows.get(key), recorded, key);
        if (row === undefined) rows.delete(key);
        else {
          rows.set(key, row);
          this.#changed.set(`${projection.name}/${key}`, { projection: projection.name, key, row, position });
        }
      }
    }
    this.#position = position;
    this.#view = null;
  }

  /** The network as of the last event. */
  get view(): NetworkView {
    if (this.#view === null) {
      this.#builder.change([...this.#changed.values()], this.#position);
      this.#changed = new Map();
      this.#view = this.#builder.view;
    }
    return this.#view;
  }
}
