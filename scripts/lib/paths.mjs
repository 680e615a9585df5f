// Paths in the project, whatever the working directory is.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, whatever the working directory is. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** A path inside the project, from its root. */
export const inProject = (...parts) => path.join(root, ...parts);
