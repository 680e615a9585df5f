// The types of what suites use of workbench-page.mjs.
import type { Page } from 'playwright-core';

export function activationOf(page: Page): Promise<string | undefined>;
