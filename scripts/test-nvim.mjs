// Runs the language server of dist/ in Neovim on a copy of the example driver, by each
// configuration of docs/editors.md. Ends with the line of counts.
import { need } from './lib/debian.mjs';
import { inEditor } from './lib/editors.mjs';
import { inProject } from './lib/paths.mjs';

need('neovim');
inEditor('lua', 'nvim', [
  '--headless',
  '-u',
  'NONE',
  '-i',
  'NONE',
  '-n',
  'mistakes.c',
  '-c',
  `luafile ${inProject('test/nvim/run.lua')}`,
]);
