/** When V8 compiles what it runs, and how long it keeps that. */
import { setFlagsFromString } from 'node:v8';

/**
 * The bytes of bytecode that a function runs before V8 compiles it with its optimising compiler:
 * eight times what V8 waits for by itself. The functions of an analysis are large and the analysis
 * of a driver is short: half of the processor time of a check went into compiling what then hardly
 * ran.
 */
const INTERRUPT_BUDGET = 540_672;

const FLAGS = [
  `--interrupt-budget=${INTERRUPT_BUDGET}`,
  // V8 forgets the code of what has not run for a while. That of the whole program, which runs once
  // in a process, would be missing in what is kept for the next one, which had to compile it anew.
  '--no-flush-bytecode',
];

/** For all threads of this process; to be called before the program that is to run so is loaded. */
export function setCompilerFlags(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
