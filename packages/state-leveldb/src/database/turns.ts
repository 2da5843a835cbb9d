/**
 * Work that takes turns, in the order in which it came.
 *
 * Why: a compaction blocks one of Node's few threads for files until LevelDB's only background thread has done it. The tasks of a
 * worker share these threads, and all tasks expire their windows at about the same time.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs the work when everything before it has ended, whether well or not. */
  take(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
