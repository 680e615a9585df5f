import type { Operator } from '../types.ts';
import { allocation } from './allocation.ts';
import { callbacks } from './callbacks.ts';
import { references } from './references.ts';
import { registration } from './registration.ts';
import { resources } from './resources.ts';

/** All ways to break a driver, in the order of the table. */
export const operators: readonly Operator[] = [
  ...allocation,
  ...references,
  ...registration,
  ...callbacks,
  ...resources,
];
