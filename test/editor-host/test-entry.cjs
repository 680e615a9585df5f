'use strict';
// Loaded in the extension host in front of the real suite: sends what the suite prints to the shim,
// and records its verdict.
const fs = require('node:fs');
const util = require('node:util');

exports.run = async function run() {
  const {
    EDITOR_HOST_OUTPUT: output,
    EDITOR_HOST_VERDICT: verdict,
    EDITOR_HOST_TESTS: tests,
  } = process.env;
  const print = (text) => fs.appendFileSync(output, text);
  for (const method of ['log', 'info', 'warn', 'error', 'debug']) {
    // In the extension host these are accessors whose setter does nothing, so that an assignment
    // would be lost.
    Object.defineProperty(console, method, {
      configurable: true,
      writable: true,
      value: (...args) => print(`${util.format(...args)}\n`),
    });
  }
  process.stdout.write = (text, encoding, done) => {
    print(text);
    (typeof encoding === 'function' ? encoding : done)?.();
    return true;
  };
  try {
    await require(tests).run();
    fs.writeFileSync(verdict, 'passed');
  } catch (error) {
    print(`${error.stack ?? error}\n`);
    throw error;
  }
};
