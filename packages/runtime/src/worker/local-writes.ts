import type { StreamTask } from '../task/stream-task.ts';

/**
 * The writes of committed state to the local databases, which go on in the background while the next records are processed.
 *
 * The first failed write surfaces at the next `settled`. Each also stays with its task, whose state lacks that commit: it can neither
 * go on nor be rolled back, only be opened anew and restored.
 */
export class LocalWrites {
  #pending: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  /** Starts writing what the tasks committed. */
  start(tasks: readonly StreamTask[]): void {
    const before = this.#pending;
    const writes = tasks.map((task) => task.completeCommit());
    this.#pending = Promise.allSettled([before, ...writes]).then((results) => {
      for (const result of results) if (result.status === 'rejected') this.#failure ??= result.reason as Error;
    });
  }

  /** Waits for what is under way. @throws the first failure since the last call */
  async settled(): Promise<void> {
    await this.#pending;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }
}
