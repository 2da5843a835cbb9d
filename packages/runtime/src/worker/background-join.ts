import type { JoinedGroup } from '@millrace/client';

/**
 * A join that goes on beside the worker's loop: the tasks that the worker has are processed meanwhile. Only commits have to wait:
 * between JoinGroup and the answer to SyncGroup the coordinator takes none.
 */
export class BackgroundJoin {
  #ended: Promise<void> | undefined;
  #result: { readonly joined: JoinedGroup } | { readonly error: unknown } | undefined;

  get isUnderWay(): boolean {
    return this.#ended !== undefined && this.#result === undefined;
  }

  /** Resolves when the join under way has ended, in one way or the other. */
  get ended(): Promise<void> {
    return this.#ended ?? Promise.resolve();
  }

  begin(join: Promise<JoinedGroup>): void {
    this.#result = undefined;
    this.#ended = join.then(
      (joined) => {
        this.#result = { joined };
      },
      (error: unknown) => {
        this.#result = { error };
      },
    );
  }

  /** What the join has brought, once. @throws what made it fail, once */
  take(): JoinedGroup | undefined {
    const result = this.#result;
    if (result === undefined) return undefined;
    this.#result = undefined;
    this.#ended = undefined;
    if ('error' in result) throw result.error;
    return result.joined;
  }
}
