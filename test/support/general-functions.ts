/** Functions of the wider kernel. */
import { SUBJECTS } from '../../server/src/kernel/functions/table.ts';

/** The names of those that have an effect or an error convention. */
export const GENERAL_FUNCTIONS: readonly string[] = SUBJECTS.flatMap((subject) =>
  Object.entries(subject).flatMap(([name, { behaviours }]) =>
    behaviours === undefined ? [] : [name],
  ),
);
