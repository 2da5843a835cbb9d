/** Waits for a fixed set of batches: those that were outstanding when somebody flushed. */
export class FlushBarrier {
  #remaining = 0;
  #resolve: (() => void) | undefined;
  readonly done: Promise<void>;

  constructor() {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** One more batch to wait for. */
  add(): void {
    this.#remaining++;
  }

  /** One of them is acknowledged, refused or dropped. */
  settle(): void {
    if (--this.#remaining === 0) this.#resolve?.();
  }

  /** After the last {@link add}: with nothing to wait for it is done at once. */
  arm(): void {
    if (this.#remaining === 0) this.#resolve?.();
  }
}
