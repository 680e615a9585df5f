// What the system says of a process: the time of its threads on a processor, and its memory. Only
// Linux tells.
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds that all threads of a process have had a processor; undefined elsewhere. */
export function processorTime(pid) {
  try {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) sum += threadTime(pid, thread);
    return sum;
  } catch {
    return undefined;
  }
}

/** A thread that ended meanwhile counts nothing. */
function threadTime(pid, thread) {
  try {
    return (
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
    );
  } catch {
    return 0;
  }
}

/** Megabytes of a process in memory; undefined elsewhere. */
export function residentMegabytes(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024;
  } catch {
    return undefined;
  }
}
