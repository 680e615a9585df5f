/**
 * A person says in the light bulb how a rule is reported; the settings file of the tree has it, and
 * the findings follow.
 */
import { equal } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, suiteSetup, suiteTeardown, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  answerRow,
  clickCall,
  inWindow,
  open,
  pickAnswer,
  rule,
  takeFromLightBulb,
  until,
  uriOf,
  withoutStickyScroll,
} from './support.ts';

const settings = '.vfio-lifecycle.json';

suite('how a rule is reported', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(withoutStickyScroll);
  suiteTeardown(() => vscode.workspace.fs.delete(uriOf(settings)));

  test('is written into a new file at the root, and then into that', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const document = await open('old_model.c', { preview: false });
    const severities = () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .filter((one) => rule(one) === 'removed-api')
        .map((one) => one.severity);
    await until('an error', () => severities()[0] === vscode.DiagnosticSeverity.Error);
    await report(document, 'hint');
    await until('a hint', () => severities()[0] === vscode.DiagnosticSeverity.Hint);
    equal(
      readFileSync(uriOf(settings).fsPath, 'utf8'),
      '{\n  "rules": {\n    "removed-api": "hint"\n  }\n}\n',
    );
    await report(document, 'warning');
    await until('a warning', () => severities()[0] === vscode.DiagnosticSeverity.Warning);
    equal(
      readFileSync(uriOf(settings).fsPath, 'utf8'),
      '{\n  "rules": {\n    "removed-api": "warning"\n  }\n}\n',
    );
  });

  async function report(document: vscode.TextDocument, severity: string): Promise<void> {
    await clickCall(page, document, 'vfio_init_group_dev');
    await takeFromLightBulb(page, 'Report removed-api as', () =>
      answerRow(page, severity).isVisible(),
    );
    await pickAnswer(page, severity);
  }
});
