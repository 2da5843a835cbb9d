import { TaskCorruptedError } from '@millrace/core';
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

  /**
   * Remembers the first error; that the local state cannot be trusted outweighs all others.
   *
   * @returns the error given, to be thrown
   */
  fail(error: unknown): unknown {
    const outweighs = error instanceof TaskCorruptedError && !this.#isCorrupted;
    if (this.#failure === undefined || outweighs) this.#failure = { error };
    return error;
  }

  get #isCorrupted(): boolean {
    return this.#failure?.error instanceof TaskCorruptedError;
  }

  /** @throws what the task failed with */
  assertOpen(): void {
    this.#failure ??= this.#pending.takeFailure();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * The task goes back to a known state.
   *
   * @throws TaskCorruptedError when there is none: what Kafka has committed is missing in the local state, or that cannot be read
   */
  reset(): void {
    if (this.#isCorrupted) this.assertOpen();
    this.#failure = undefined;
  }

  /** No work from now on, whatever the task had failed with. */
  close(error: unknown): void {
    this.#failure = { error };
  }
}
