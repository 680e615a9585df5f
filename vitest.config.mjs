import { defineConfig } from 'vitest/config';

// Only ends what hangs: no test is about its time, and a machine that others use too may be many
// times slower than this one.
const limit = { testTimeout: 600_000, hookTimeout: 600_000 };
// Programs under test write nothing into the home of who tests.
const env = { VFIO_LIFECYCLE_CACHE: process.env['VFIO_LIFECYCLE_CACHE'] ?? '' };

export default defineConfig({
  test: {
    // One less than the processors is the default; most tests of programs wait for a process of
    // their own.
    maxWorkers: '100%',
    // A snapshot that is not there is a failure; -u writes it, for a person to read.
    update: 'none',
    projects: [
      // Pure code, straight from the sources.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // Half of the time would go into loading and warming up the same engine for each file.
          isolate: false,
          setupFiles: 'test/support/unit-setup.ts',
          ...limit,
        },
      },
      // The bundles of dist/ as programs: the language server over stdio and the command line.
      {
        test: {
          name: 'process',
          include: ['test/{lsp,cli}/**/*.test.ts'],
          env,
          // They keep nothing in their own process, which would start anew for each file.
          isolate: false,
          ...limit,
        },
      },
      // Drivers, compiled and run before and after their conversion, where a C compiler and kernel
      // headers are. Needs dist/cli.cjs.
      {
        test: {
          name: 'harness',
          include: ['test/harness/**/*.test.ts'],
          env,
          ...limit,
          maxConcurrency: 2,
        },
      },
      // The VSIX. Packing builds dist/ anew, so that this project does not run together with the
      // one above.
      {
        test: {
          name: 'bundle',
          include: ['test/bundle/**/*.test.ts'],
          env,
          globalSetup: 'test/bundle/setup.ts',
          ...limit,
        },
      },
    ],
  },
});
