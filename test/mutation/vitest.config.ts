import { defineConfig } from 'vitest/config';
import {
  BaseSequencer,
  type Reporter,
  type TestModule,
  type TestSpecification,
  type Vitest,
} from 'vitest/node';

/** The specs of one room, which `mutate.mjs` names: first those beside the sources. */
const specs = (process.env.MUTATION_SPECS ?? '').split(',');
const folder = `/${specs[0]?.replace('/**/*.spec.ts', '')}/`;

/** Specs beside the source are quick and notice most changes: after them the others need not run. */
class NearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const far = ({ moduleId }: TestSpecification) => Number(!moduleId.includes(folder));
    return files.sort((one, other) => far(one) - far(other) || one.moduleId.localeCompare(other.moduleId));
  }
}

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

/** Every mutant gets one worker, in which the specs share what they import. */
export default defineConfig({
  test: {
    include: specs,
    setupFiles: ['test/mutation/same-examples.ts'],
    sequence: { sequencer: NearestFirst },
    reporters: [new LoadErrors()],
    testTimeout: 60_000,
    isolate: false,
  },
});
