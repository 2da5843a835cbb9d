import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/** A folder for the workers' state that is gone after the run. */
export interface StateFolder extends AsyncDisposable {
  readonly path: string;
}

/** @throws StartError when the right to make one is missing */
export async function createStateFolder(parent = tmpdir()): Promise<StateFolder> {
  try {
    const path = await mkdtemp(join(parent, 'millrace-example-'));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`no place for the workers' state: ${reason}; set TMPDIR to a folder that you may write to`, cause);
  }
}
