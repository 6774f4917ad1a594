// The test runs by name. `vitest run` is the default one; `--project redis|faults|foreign|e2e` the others.
import { defineConfig } from 'vitest/config';

const folders = {
  default: [
    'test/{unit,property,vectors,integration}/**/*.test.{ts,tsx}',
    'test/floor-plan.test.ts',
  ],
  redis: ['test/redis/**/*.test.ts'],
  faults: ['test/faults/**/*.test.ts'],
  foreign: ['test/foreign/**/*.test.ts'],
  e2e: ['test/e2e/**/*.test.ts'],
};

const isChosen = process.argv.some((argument) => argument.startsWith('--project'));

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'hono/jsx' } },
  test: {
    // Two cores, and one PostgreSQL beside the tests.
    maxWorkers: 2,
    projects: Object.entries(folders)
      .filter(([name]) => isChosen || name === 'default')
      .map(([name, include]) => ({
        extends: true as const,
        test: {
          name,
          include,
          globalSetup: ['test/support/global-setup.ts'],
          // Files share their modules, which hold no state: read once per worker, not once per file.
          // 247 s became 152 s on 2 cores. The other runs' files keep their own.
          isolate: name !== 'default',
          hookTimeout: 60_000,
          testTimeout: name === 'default' ? 30_000 : 120_000,
        },
      })),
  },
});
