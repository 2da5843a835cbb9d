import { TaskCorruptedError } from '@millrace/core';

/** What LevelDB's errors carry: the code of an operation, or that of a failed open in the cause. */
interface LevelError {
  readonly code?: string;
  readonly message?: string;
  readonly cause?: LevelError;
}

/** The code that says what is wrong: an open that fails has it in its cause. */
export function levelCode(error: unknown): string | undefined {
  const { cause, code } = error as LevelError;
  return cause?.code ?? code;
}

/** Turns an error of LevelDB into the one that makes the task put its state aside and restore it. */
export function stateError(error: unknown, directory: string, taskId: string): TaskCorruptedError {
  const { cause, message } = error as LevelError;
  const text = cause?.message ?? message ?? String(error);
  const code = levelCode(error);
  if (code === 'LEVEL_CORRUPTION') {
    return new TaskCorruptedError(
      'STATE_CORRUPT',
      `the state in ${directory} is damaged (${text}); it has to be restored from the changelog`,
      { taskId, cause: error },
    );
  }
  const wayOut = /no space|ENOSPC|quota/i.test(text) ? 'the disk is full: free space on it' : 'check the disk';
  return new TaskCorruptedError(
    'STATE_IO_FAILED',
    `the state in ${directory} cannot be read or written (${text}); ${wayOut}, the state is then restored from the changelog`,
    {
      taskId,
      cause: error,
    },
  );
}
