/**
 * Entry of dist/web/server.js, which serves in a web worker and in a thread of dist/server.cjs. Either half is loaded only where it can
 * run: each reaches for its own world at once.
 */
if (typeof importScripts === 'function') void import('./browser.ts');
else void import('./node.ts');
