/** Asynchronous work of user code that a task has to wait for. */
export class PendingWork {
  #pending: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Resolves when all work known now has ended, successfully or not; `undefined` when there is none. Never rejects. */
  get promise(): Promise<void> | undefined {
    return this.#pending;
  }

  add(work: Promise<void>): void {
    const ended = work.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    const all = this.#pending === undefined ? ended : Promise.all([this.#pending, ended]).then(() => undefined);
    this.#pending = all;
    void all.then(() => {
      if (this.#pending === all) this.#pending = undefined;
    });
  }

  /** The first error of work that has ended, once. */
  takeFailure(): { readonly error: unknown } | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }
}
