import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // As long as a slow machine may take: a condition that comes about ends the wait at once.
    expect: { poll: { timeout: 15_000 } },
    // Whole-flow specs start several real processes each; more than one such file at a time starves them.
    maxWorkers: 2,
  },
});
