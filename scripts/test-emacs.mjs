// Runs the language server of dist/ in Emacs on a copy of the example driver, by the configuration
// of docs/editors.md. Ends with the line of counts.
import { need } from './lib/debian.mjs';
import { inEditor } from './lib/editors.mjs';
import { inProject } from './lib/paths.mjs';

need('emacs-nox', 'elpa-eglot');
inEditor('elisp', 'emacs', [
  '--batch',
  '-Q',
  '-L',
  '/usr/share/emacs/site-lisp/elpa/eglot-1.9',
  '--load',
  inProject('test/emacs/run.el'),
]);
