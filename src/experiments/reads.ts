import type { NetworkView } from '../actors/network-view.ts';
import type { FitnessTally } from '../evolution/fitness.ts';
import { fitness } from '../projections/fitness.ts';
import {
  type LiveDevice,
  NetworkViewBuilder,
  VIEW_PROJECTIONS,
  type ViewRow,
} from '../projections/network-view.ts';
import type { Recorded } from '../projections/projection.ts';
import { MemoryModel } from '../replay/memory-model.ts';

/** The read models that decisions use, folded in memory as events are recorded. */
export class LiveReads {
  readonly #builder = new NetworkViewBuilder();
  readonly #model = new MemoryModel(VIEW_PROJECTIONS, (projection, key, row) => {
    this.#changed.set(`${projection}/${key}`, { projection, key, row });
  });
  /** Rows that the view does not have yet, by projection and key. */
  #changed = new Map<string, ViewRow>();
  #position = 0;
  #view: NetworkView | null = null;

  constructor(devices: readonly LiveDevice[]) {
    this.#builder.setDevices(devices);
  }

  apply(recorded: Recorded): void {
    this.#model.apply(recorded);
    this.#position = recorded.position;
    this.#view = null;
  }

  /** The judged answers of a Node, living or dead. */
  tally(node: string): FitnessTally | undefined {
    return this.#model.rows(fitness).get(`node/${node}`);
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
