import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { SettingsError, TaskCorruptedError } from '@millrace/core';

const FILE = 'state.json';

/**
 * Version of everything that this engine writes. A directory of an older version is put aside and restored from the
 * changelog, unless a later release knows how to read it; one of a newer version is refused.
 */
const FORMAT = 2;

/**
 * Which database the directory should hold. It stands beside LevelDB's files, because a lost `CURRENT` makes LevelDB open as
 * an empty database without an error.
 */
export interface FormatFile {
  readonly format: number;
  /** The same text stands inside the database. */
  readonly generation: string;
  /** Whose state it is; absent in directories that were made before this was written. */
  readonly taskId?: string | undefined;
}

/**
 * Reads the marker of a directory; `undefined` when it has none.
 *
 * @throws SettingsError `STATE_FORMAT_NEWER` for a directory of a later version
 * @throws TaskCorruptedError `STATE_FORMAT_OLDER`, `STATE_CORRUPT`, `STATE_FOREIGN` when it was written for another task
 */
export async function readFormatFile(directory: string, taskId: string): Promise<FormatFile | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const found = parse(text);
  if (found === undefined) {
    throw new TaskCorruptedError(
      'STATE_CORRUPT',
      `${join(directory, FILE)} is damaged; the state has to be restored from the changelog`,
      { taskId },
    );
  }
  if (found.format > FORMAT) {
    const message = `the state in ${directory} has format ${found.format}, this version reads ${FORMAT}; use the newer version, or delete the directory to restore from the changelog`;
    throw new SettingsError('STATE_FORMAT_NEWER', message, { taskId });
  }
  if (found.format < FORMAT) {
    const message = `the state in ${directory} has the old format ${found.format}; it has to be restored from the changelog`;
    throw new TaskCorruptedError('STATE_FORMAT_OLDER', message, { taskId });
  }
  if (found.taskId !== undefined && found.taskId !== taskId) {
    const message = `the state in ${directory} was written for task ${found.taskId}; it is put aside, and that of this task restored from the changelog`;
    throw new TaskCorruptedError('STATE_FOREIGN', message, { taskId });
  }
  return found;
}

function parse(text: string): FormatFile | undefined {
  try {
    const { format, generation, taskId } = JSON.parse(text) as Partial<FormatFile>;
    return Number.isInteger(format) && typeof generation === 'string'
      ? { format: format as number, generation, taskId }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the marker so that it is there whole or not at all. */
export async function writeFormatFile(directory: string, generation: string, taskId: string): Promise<void> {
  const content: FormatFile = { format: FORMAT, generation, taskId };
  const path = join(directory, FILE);
  const file = await open(`${path}.new`, 'w', 0o640);
  try {
    await file.writeFile(`${JSON.stringify(content)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
