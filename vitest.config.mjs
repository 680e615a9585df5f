import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      // Pure code, straight from the sources.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      // The bundles of dist/ as programs: the language server over stdio, the command line, what is packed.
      { test: { name: 'process', include: ['test/{lsp,cli,bundle}/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
  },
});
