import { statfsSync } from 'node:fs';
import { FatalStreamsError, StreamsError, TaskCorruptedError } from '@millrace/core';

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

/**
 * Turns an error of LevelDB, or of the file system beneath it, into the one that says what the task has to do: put its state aside and
 * restore it; or, with code `STATE_DISK_FULL`, keep what is on the disk and try again when there is room.
 *
 * @param bytes how much was to be written, as far as it is known
 */
export function stateError(error: unknown, directory: string, taskId: string, bytes?: number): StreamsError {
  if (error instanceof StreamsError) return error;
  const { cause, message } = error as LevelError;
  const text = cause?.message ?? message ?? String(error);
  if (/no space left|ENOSPC|quota exceeded|EDQUOT/i.test(text)) return diskFull(directory, taskId, bytes, error);
  if (/too many open files|EMFILE|ENFILE/i.test(text)) {
    return new FatalStreamsError(
      'STATE_TOO_MANY_FILES',
      `the state in ${directory} cannot be opened: the process has too many files open (${text}); raise the limit (ulimit -n)`,
      { taskId, cause: error },
    );
  }
  if (levelCode(error) === 'LEVEL_CORRUPTION') {
    return new TaskCorruptedError(
      'STATE_CORRUPT',
      `the state in ${directory} is damaged (${text}); it has to be restored from the changelog`,
      { taskId, cause: error },
    );
  }
  return new TaskCorruptedError(
    'STATE_IO_FAILED',
    `the state in ${directory} cannot be read or written (${text}); check the disk, the state is then restored from the changelog`,
    { taskId, cause: error },
  );
}

/** There is no room for state; what is on the disk is good, only behind. */
export function diskFull(directory: string, taskId: string, bytes: number | undefined, cause?: unknown): TaskCorruptedError {
  const free = freeBytes(directory);
  const [needed, left] = [
    bytes === undefined ? 'state' : `${bytes} bytes of state`,
    free === undefined ? '' : `, ${free} bytes are free`,
  ];
  return new TaskCorruptedError(
    'STATE_DISK_FULL',
    `the disk of ${directory} has no room for ${needed}${left}: free space on it. Nothing is lost: the changelog has it, and the task goes on when there is room`,
    { taskId, cause },
  );
}

/** Room on the disk of a directory; `undefined` when the system does not tell. */
export function freeBytes(directory: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
