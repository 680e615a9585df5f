/**
 * Entry of dist/web/server.js, which has the engine once for all: it serves in a web worker, does
 * what threads of it are made for, and is the command
 * line where dist/cli.cjs loads it. What is for Node is loaded only there: it reaches for its own
 * world at once.
 */
if (typeof importScripts === 'function') void import('../lsp/browser.ts');
else void import('./main.ts').then(({ start }) => start());
