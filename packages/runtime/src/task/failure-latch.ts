import type { PendingWork } from './pending-work.ts';

/** A task that has failed is in an unknown state: it must not go on, let alone commit. Remembers why, and refuses further work. */
export class FailureLatch {
  readonly #pending: PendingWork;
  #failure: { readonly error: unknown } | undefined;

  /** @param pending asynchronous work whose failure is the task's */
  constructor(pending: PendingWork) {
    this.#pending = pending;
  }

  /** Does the work; an error is remembered and thrown. */
  guard<T>(work: () => T): T {
    this.assertOpen();
    try {
      return work();
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Remembers the first error. @returns the error given, to be thrown */
  fail(error: unknown): unknown {
    this.#failure ??= { error };
    return error;
  }

  /** @throws what the task failed with */
  assertOpen(): void {
    this.#failure ??= this.#pending.takeFailure();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The task has gone back to a known state. */
  reset(): void {
    this.#failure = undefined;
  }

  /** No work from now on, whatever the task had failed with. */
  close(error: unknown): void {
    this.#failure = { error };
  }
}
