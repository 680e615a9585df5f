// What a person does in the page of a workbench, for scripts that drive it from outside.

/**
 * Runs a command of the palette by its title, once the palette has it: a window that still starts
 * takes no keys.
 */
export async function runCommand(page, title) {
  const row = page.locator('.quick-input-widget .monaco-list-row.focused', { hasText: title });
  for (let attempt = 0; attempt < 5 && !(await row.isVisible()); attempt++) {
    await page.keyboard.press('Escape');
    await page.keyboard.press('F1');
    await page.keyboard.type(title);
    await row.waitFor({ timeout: 20_000 }).catch(() => undefined);
  }
  await row.waitFor({ timeout: 1000 });
  await page.keyboard.press('Enter');
}

/**
 * Waits for a part of a view of ours, which is in a frame of its own; returns it. Throws after two
 * minutes.
 */
export async function inView(page, selector) {
  for (let turn = 0; turn < 480; turn++) {
    for (const frame of page.frames()) {
      const part = frame.locator(selector).first();
      if (await part.isVisible().catch(() => false)) return part;
    }
    await page.waitForTimeout(250);
  }
  throw new Error(`no ${selector} in the view`);
}
