/** When V8 optimises what it runs. */
import { setFlagsFromString } from 'node:v8';

/**
 * The bytes of bytecode that a function runs before V8 compiles it with its optimising compiler:
 * eight times what V8 waits for by itself. The functions of an analysis are large and the analysis
 * of a driver is short: half of the processor time of a check went into compiling what then hardly
 * ran.
 */
const INTERRUPT_BUDGET = 540_672;

/** For all threads of this process; to be called before the program that is to run so is loaded. */
export function optimiseLater(): void {
  setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}
