import type { Cancel } from '@millrace/core';

/** Those who wait for a log to change: fetches that have not got enough yet. */
export class LogWatchers {
  readonly #watchers = new Set<() => void>();

  add(watcher: () => void): Cancel {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  notify(): void {
    // A watcher that is satisfied removes itself, which a set allows while it is walked over.
    for (const watcher of this.#watchers) watcher();
  }
}
