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
  for (let attempt = 0; attempt < 5 && (await row.isVisible()); attempt++) {
    await page.keyboard.press('Enter');
    await row.waitFor({ state: 'hidden', timeout: 10_000 }).catch(() => undefined);
  }
}

/**
 * Presses until what it is for is in sight: a slow editor loses presses. Throws when it does not
 * come.
 */
export async function pressUntil(sight, press) {
  for (let attempt = 0; attempt < 10 && !(await sight.isVisible()); attempt++) {
    await press().catch(() => undefined);
    await sight.waitFor({ timeout: 10_000 }).catch(() => undefined);
  }
  await sight.waitFor({ timeout: 1000 });
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

/**
 * What the editor says of our activation, such as `Activation: 12ms`, undefined where there was
 * none; its list of running extensions is open. An extension under test is there by its id.
 */
export async function activationOf(page) {
  const editor = page.locator('.runtime-extensions-editor');
  const rows = editor.locator('.monaco-list-row');
  const time = rows.filter({ hasText: /vfio.lifecycle/i }).locator('.activation-time');
  const count = Number(await rows.first().getAttribute('aria-setsize'));
  await editor.locator('.monaco-list').first().focus();
  // The slowest comes first, and only the rows in view are there.
  for (let i = 0; i < count && (await time.count()) === 0; i++)
    await page.keyboard.press('ArrowDown');
  const said = (await time.count()) === 0 ? undefined : await time.first().innerText();
  // Newer editors show the list over the others.
  await page.keyboard.press('Escape');
  return said;
}
