/** How a thread of the command line knows that it is to answer for files. */
import { workerData } from 'node:worker_threads';

const ROLE = 'vfio-lifecycle-answer';

/** The `workerData` of such a thread. */
export const ANSWER_THREAD = { role: ROLE };

/** True in a thread that is to answer: `serveAnswers` must then be called and nothing else. */
export function isAnswerThread(): boolean {
  return (workerData as { role?: unknown } | null)?.role === ROLE;
}
