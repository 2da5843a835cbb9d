import { formatTaskId, type LogFields, type Logger, type TaskId } from '@millrace/core';

/** An event loop that does not turn, or did not. */
export interface Stall {
  /** Of a process with several; `undefined`: there is one loop. */
  readonly thread: number | undefined;
  /** How long it has lasted. */
  readonly forMs: number;
  /** Which had its turn when that was noticed; `undefined`: none, a commit or a restore for example. */
  readonly task: TaskId | undefined;
}

/** While the loop stands still. Said by somebody else: it cannot. */
export function logStall(logger: Pick<Logger, 'warn'>, { thread, forMs, task }: Stall): void {
  logger.warn(
    'the event loop does not turn: no heartbeat is sent, and the tasks are lost at the session timeout; look for code that computes for long or waits synchronously',
    { ...placeOf(thread, task), forMs },
  );
}

/** Once the loop goes on. */
export function logRecovery(logger: Pick<Logger, 'warn'>, { thread, forMs, task }: Stall): void {
  logger.warn('the event loop turns again', { ...placeOf(thread, task), stalledForMs: forMs });
}

function placeOf(thread: number | undefined, task: TaskId | undefined): LogFields {
  return { ...(thread === undefined ? {} : { thread }), ...(task === undefined ? {} : { taskId: formatTaskId(task) }) };
}
