import type { Reporter, TestModule } from 'vitest/node';

/**
 * Prints the last line of the run as `N passed, N failed, N skipped`. An error outside of tests counts as
 * failed.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that never ran (in an interrupted run) has not passed.
        count[state === 'pending' ? 'failed' : state] += 1;
      }
    }
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
