import { defineConfig } from 'vitest/config';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** A module that does not even load has noticed the mutant: it runs no test, so the tool would take it for a survivor. */
class LoadErrors implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    for (const error of modules.flatMap((module) => module.errors())) {
      this.#vitest?.state.errorsSet.add(error);
    }
  }
}

/** The specs of one room, which `mutate.mjs` names. Every mutant gets one worker, in which they share what they import. */
export default defineConfig({
  test: {
    include: (process.env.MUTATION_SPECS ?? '').split(','),
    reporters: [new LoadErrors()],
    testTimeout: 60_000,
    isolate: false,
  },
});
