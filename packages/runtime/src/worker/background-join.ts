import type { JoinedGroup } from '@millrace/client';

type JoinResult = { readonly joined: JoinedGroup } | { readonly error: unknown };

/**
 * A join that goes on beside the worker's loop: the tasks that the worker has are processed meanwhile. Only commits have to wait:
 * between JoinGroup and the answer to SyncGroup the coordinator takes none.
 */
export class BackgroundJoin {
  #ended: AbortController | undefined;
  #result: JoinResult | undefined;

  get isUnderWay(): boolean {
    return this.#ended !== undefined && this.#result === undefined;
  }

  /** Aborts when the join under way has ended, in one way or the other. A signal, since one can stop listening to it. */
  get ended(): AbortSignal | undefined {
    return this.#ended?.signal;
  }

  begin(join: Promise<JoinedGroup>): void {
    const ended = new AbortController();
    const end = (result: JoinResult): void => {
      this.#result = result;
      ended.abort();
    };
    this.#result = undefined;
    this.#ended = ended;
    void join.then(
      (joined) => end({ joined }),
      (error: unknown) => end({ error }),
    );
  }

  /** True when the join has ended, and others may have had the tasks meanwhile. */
  get hasFoundBreak(): boolean {
    const result = this.#result;
    return result !== undefined && 'joined' in result && !result.joined.isUnbroken;
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
