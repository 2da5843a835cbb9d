import { type Cancel, type Clock, RetriableError, SettingsError } from '@millrace/core';
import type { StorePlace, StoreRead, StoreSource } from '../query/store-source.ts';
import { fromPortableError } from './portable-error.ts';
import type { QueryFromThread, QueryToThread } from './thread-messages.ts';

/** A thread whose loop stands still for so long does not answer. */
const ANSWER_MS = 30_000;

interface Waiting {
  readonly resolve: (answer: QueryFromThread) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: Cancel;
}

/** The stores of a thread, as the main thread asks them. */
export class ThreadStores implements StoreSource {
  readonly #thread: number;
  readonly #clock: Clock;
  readonly #post: (question: QueryToThread) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isGone = false;

  constructor(thread: number, clock: Clock, post: (question: QueryToThread) => void) {
    this.#thread = thread;
    this.#clock = clock;
    this.#post = post;
  }

  async locate(store: string, asked?: { readonly key: unknown }): Promise<StorePlace> {
    const answer = await this.#ask({ kind: 'locate-store', id: ++this.#lastId, store, asked });
    return (answer as QueryFromThread & { kind: 'store-place' }).place;
  }

  async *read(request: StoreRead): AsyncGenerator<readonly unknown[], void> {
    const id = ++this.#lastId;
    let isOpen = true;
    try {
      let question: QueryToThread = { kind: 'read-store', id, request };
      for (;;) {
        const { rows } = (await this.#ask(question)) as QueryFromThread & { kind: 'store-rows' };
        if (rows === undefined) break;
        yield rows;
        question = { kind: 'read-on', id };
      }
      isOpen = false;
    } finally {
      if (isOpen && !this.#isGone) this.#post({ kind: 'stop-reading', id });
    }
  }

  /** The thread has answered. */
  onAnswer(answer: QueryFromThread): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    waiting.cancel();
    if (answer.kind === 'query-failed') waiting.reject(fromPortableError(answer.error));
    else waiting.resolve(answer);
  }

  /** The thread has ended: nobody answers any more. */
  end(): void {
    this.#isGone = true;
    for (const { reject, cancel } of this.#waiting.values()) {
      cancel();
      reject(this.#notReady('has ended'));
    }
    this.#waiting.clear();
  }

  #ask(question: QueryToThread): Promise<QueryFromThread> {
    if (this.#isGone) return Promise.reject(this.#notReady('has ended'));
    const { id } = question;
    const answer = new Promise<QueryFromThread>((resolve, reject) => {
      const cancel = this.#clock.setTimer(ANSWER_MS, () => {
        this.#waiting.delete(id);
        reject(this.#notReady(`has not answered for ${ANSWER_MS} ms`));
      });
      this.#waiting.set(id, { resolve, reject, cancel });
    });
    this.#send(question);
    return answer;
  }

  #send(question: QueryToThread): void {
    try {
      this.#post(question);
    } catch (cause) {
      const waiting = this.#waiting.get(question.id);
      this.#waiting.delete(question.id);
      waiting?.cancel();
      const message = 'the key cannot be handed from one thread to another: only what can be cloned can (no functions)';
      waiting?.reject(new SettingsError('QUERY_NOT_PORTABLE', message, { cause }));
    }
  }

  #notReady(what: string): RetriableError {
    return new RetriableError('STORE_NOT_READY', `thread ${this.#thread} ${what}; ask again later`);
  }
}
