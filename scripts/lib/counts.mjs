/** How many tests passed, failed and were skipped. */
export const none = { passed: 0, failed: 0, skipped: 0 };

export function add(one, other) {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** The line that ends every test command of this project. */
export function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Counts results one by one, and says which of them failed and why. */
export function tally() {
  const counts = { ...none };
  const result = (what, passed, why) => {
    if (passed) {
      counts.passed++;
      return;
    }
    counts.failed++;
    console.log(`FAILED ${what}`);
    for (const one of [why].flat()) console.log(`    ${one}`);
  };
  return { counts, result };
}
