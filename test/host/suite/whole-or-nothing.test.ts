/**
 * What a person presses writes all of a conversion or nothing: the files are, byte for byte, as
 * before or as the command line converts them.
 */
import { deepEqual, ok } from 'node:assert/strict';
import path from 'node:path';
import { suite, suiteSetup, test } from 'mocha';
import type { Page } from 'playwright-core';
import * as vscode from 'vscode';
import {
  answerRow,
  askToConvert,
  bytesOf,
  clickCall,
  clickUntil,
  codeActions,
  find,
  folder,
  inWindow,
  leaveQuestion,
  open,
  pickAnswer,
  restore,
  takeFromLightBulb,
  until,
  uriOf,
  withoutStickyScroll,
  written,
} from './support.ts';

/** What tells the offer of a style apart. */
const offers = {
  minimal: 'vfio_alloc_device()',
  fold: 'folding state',
  compat: 'keeping the old model',
} as const;
type Style = keyof typeof offers;
/** How a person comes to the conversion. */
type Way = 'code action' | 'command';
/** What is pressed then, one after the other. */
const answers = {
  Apply: ['Apply'],
  Cancel: ['Cancel'],
  Escape: ['Escape'],
  'Show Changes, and apply': ['Show Changes', 'Apply the Whole Conversion'],
  'Show Changes, and discard': ['Show Changes', 'Discard the Conversion'],
} as const;
type Answer = keyof typeof answers;

interface Case {
  readonly what: string;
  /** The file to ask in comes first. */
  readonly files: readonly string[];
  readonly style: Style;
  readonly way: Way;
  readonly answers: readonly Answer[];
}

const everyAnswer = Object.keys(answers) as Answer[];
const cases: readonly Case[] = [
  {
    what: 'one file',
    files: ['old_model.c'],
    style: 'fold',
    way: 'code action',
    answers: everyAnswer,
  },
  {
    what: 'one file',
    files: ['old_model.c'],
    style: 'compat',
    way: 'code action',
    answers: ['Apply', 'Escape'],
  },
  {
    what: 'a moved member in one file',
    files: ['wick/wick.c'],
    style: 'minimal',
    way: 'command',
    answers: ['Apply', 'Escape'],
  },
  {
    what: 'several files and a moved member',
    files: ['dock/dock_main.c', 'dock/dock_dev.c', 'dock/dock.h'],
    style: 'minimal',
    way: 'code action',
    answers: everyAnswer,
  },
  {
    what: 'several files and a moved member',
    files: ['jetty/jetty.c', 'jetty/jetty.h'],
    style: 'fold',
    way: 'command',
    answers: ['Apply', 'Escape'],
  },
];

suite('a conversion is written as a whole or not at all', () => {
  let page: Page;

  inWindow((connected) => {
    page = connected;
  });
  suiteSetup(withoutStickyScroll);

  test('one file, minimal, by command: at once', async () => {
    const before = bytesOf(folder(), ['old_model.c']);
    await askFor({
      what: '',
      files: ['old_model.c'],
      style: 'minimal',
      way: 'command',
      answers: [],
    });
    await written(['old_model.c']);
    deepEqual(bytesOf(folder(), ['old_model.c']), bytesOf(converted('minimal'), ['old_model.c']));
    await restore(before);
  });

  test('an offer can be taken when VS Code has a newer list of actions by then', async () => {
    const before = bytesOf(folder(), ['old_model.c']);
    const document = await open('old_model.c', { preview: false });
    const at = find(document, 'vfio_init_group_dev(');
    const [offer] = await until('the offer', async () => {
      const actions = await codeActions(document, at, 'refactor.rewrite.vfio');
      return actions.some((one) => one.command) ? actions : undefined;
    });
    // VS Code forgets the arguments of a command with its list: there must be none.
    ok(offer?.command);
    deepEqual(offer.command.arguments ?? [], []);
    await vscode.commands.executeCommand(offer.command.command);
    await written(['old_model.c']);
    deepEqual(bytesOf(folder(), ['old_model.c']), bytesOf(converted('minimal'), ['old_model.c']));
    await restore(before);
  });

  for (const one of cases) {
    for (const answer of one.answers) {
      test(`${one.what}, ${one.style}, by ${one.way}: ${answer}`, async () => {
        const before = bytesOf(folder(), one.files);
        await askFor(one);
        await answerRow(page, 'Cancel').waitFor();
        await picture(`conversion-question-${path.basename(one.files[0]!)}.png`);
        const [first, second] = answers[answer];
        if (first === 'Escape') await leaveQuestion(page, answerRow(page, 'Cancel'));
        else await pickAnswer(page, first);
        await answerRow(page, 'Cancel').waitFor({ state: 'hidden' });
        if (second !== undefined) {
          await toolbarButton(second).waitFor();
          await picture(`conversion-changes-${path.basename(one.files[0]!)}.png`);
          await clickUntil(
            `an end of the changes at "${second}"`,
            toolbarButton(second),
            async () => (await toolbarButton(second).count()) === 0,
          );
        }
        const applies = answer === 'Apply' || answer.endsWith('and apply');
        if (applies) await written(one.files);
        else await vscode.workspace.saveAll();
        deepEqual(
          bytesOf(folder(), one.files),
          applies ? bytesOf(converted(one.style), one.files) : before,
        );
        if (applies) await restore(before);
      });
    }
  }

  test('what is to be looked at is one message, which leads to the notes', async () => {
    const before = bytesOf(folder(), ['old_model.c']);
    await askFor({ what: '', files: ['old_model.c'], style: 'fold', way: 'command', answers: [] });
    await pickAnswer(page, 'Apply');
    await written(['old_model.c']);
    // VS Code shows no toasts under test: the list has what they would say.
    await vscode.commands.executeCommand('notifications.showList');
    const message = page.locator('.notifications-center .notification-list-item', {
      hasText: /Converted old_model\.c; .* to look at/,
    });
    await message.waitFor();
    await picture('conversion-message.png');
    const note = page
      .locator('.output-view-container, .pane-body .monaco-editor')
      .getByText('meter_release_dev() now does free_page()')
      .first();
    await clickUntil('the note in the output', message.getByText('Show', { exact: true }), () =>
      note.isVisible(),
    );
    await vscode.commands.executeCommand('workbench.action.closePanel');
    await restore(before);
  });

  test('a file that changed while the question was open: nothing', async () => {
    const files = ['dock/dock_main.c', 'dock/dock_dev.c', 'dock/dock.h'];
    const before = bytesOf(folder(), files);
    await askFor({ what: '', files, style: 'minimal', way: 'command', answers: [] });
    await answerRow(page, 'Apply').waitFor();
    const edit = new vscode.WorkspaceEdit();
    edit.insert(uriOf('dock/dock.h'), new vscode.Position(0, 0), '\n');
    ok(await vscode.workspace.applyEdit(edit));
    await pickAnswer(page, 'Apply');
    await page
      .locator('.statusbar-item', { hasText: 'nothing was converted: dock.h has changed' })
      .first()
      .waitFor();
    // saveAll() passes over a changed document that no editor shows yet.
    for (const name of files) await (await vscode.workspace.openTextDocument(uriOf(name))).save();
    deepEqual(bytesOf(folder(), files), { ...before, 'dock/dock.h': `\n${before['dock/dock.h']}` });
    await restore(before);
  });

  /** Comes to the question, or to the result, as a person does. */
  async function askFor({ files: [name], style, way }: Case): Promise<void> {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const wanted = offers[style];
    const document = await open(name!, { preview: false });
    await until('diagnostics', () => vscode.languages.getDiagnostics(document.uri).length > 0);
    // What wants no eyes is written at once.
    const isAsked = async (): Promise<boolean> =>
      document.isDirty || (await answerRow(page, 'Cancel').isVisible());
    if (way === 'command') {
      await askToConvert(page, wanted, isAsked);
    } else {
      await clickCall(page, document, 'vfio_init_group_dev');
      await takeFromLightBulb(page, wanted, isAsked);
    }
  }

  function toolbarButton(name: string) {
    return page
      .locator(`.editor-actions [aria-label^="${name}"], .editor-actions [title^="${name}"]`)
      .first();
  }

  /** Keeps what is on the screen for a person to look at. */
  async function picture(name: string): Promise<void> {
    const { HOST_SUITE_PICTURES: pictures } = process.env;
    if (pictures !== undefined) await page.screenshot({ path: path.join(pictures, name) });
  }
});

/** The workspace as the command line converts it. */
function converted(style: Style): string {
  const { HOST_SUITE_CONVERTED: copies } = process.env;
  ok(copies, 'the folder of the converted drivers');
  return path.join(copies, style);
}
