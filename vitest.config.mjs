import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // One less than the processors is the default; most tests of programs wait for a process of their own.
    maxWorkers: '100%',
    projects: [
      // Pure code, straight from the sources. The limits only end what hangs: no test is about its time.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], setupFiles: 'test/support/seed.ts', testTimeout: 60_000 } },
      // The bundles of dist/ as programs: the language server over stdio and the command line.
      { test: { name: 'process', include: ['test/{lsp,cli}/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
      // Drivers, compiled and run before and after their conversion, where a C compiler and kernel headers are. Needs dist/cli.cjs.
      { test: { name: 'harness', include: ['test/harness/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, maxConcurrency: 2 } },
      // The VSIX. Packing builds dist/ anew, so that this project does not run together with the one above.
      { test: { name: 'bundle', include: ['test/bundle/**/*.test.ts'], globalSetup: 'test/bundle/setup.ts', testTimeout: 60_000 } },
    ],
  },
});
