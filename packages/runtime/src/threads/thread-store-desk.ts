import { RetriableError, SettingsError } from '@millrace/core';
import type { StoreSource } from '../query/store-source.ts';
import { toPortableError } from './portable-error.ts';
import type { QueryFromThread, QueryToThread } from './thread-messages.ts';

/** Answers in a thread what the main thread asks of its stores. */
export class ThreadStoreDesk {
  readonly #post: (answer: QueryFromThread) => void;
  readonly #reads = new Map<number, AsyncIterator<readonly unknown[]>>();
  #source: StoreSource | undefined;

  constructor(post: (answer: QueryFromThread) => void) {
    this.#post = post;
  }

  /** The application is there: its stores can be asked. */
  serve(source: StoreSource): void {
    this.#source = source;
  }

  async onQuestion(question: QueryToThread): Promise<void> {
    const { id } = question;
    try {
      await this.#answer(question);
    } catch (error) {
      this.#reads.delete(id);
      this.#post({ kind: 'query-failed', id, error: toPortableError(error) });
    }
  }

  async #answer(question: QueryToThread): Promise<void> {
    const source = this.#source;
    if (source === undefined) throw new RetriableError('STORE_NOT_READY', 'the thread is starting; ask again later');
    const { id, kind } = question;
    if (kind === 'locate-store') {
      this.#tell({ kind: 'store-place', id, place: await source.locate(question.store, question.asked) });
      return;
    }
    if (kind === 'stop-reading') {
      const read = this.#reads.get(id);
      this.#reads.delete(id);
      await read?.return?.();
      return;
    }
    if (kind === 'read-store') this.#reads.set(id, source.read(question.request)[Symbol.asyncIterator]());
    await this.#tellPage(id);
  }

  async #tellPage(id: number): Promise<void> {
    const page = await this.#reads.get(id)?.next();
    if (page === undefined || page.done === true) this.#reads.delete(id);
    this.#tell({ kind: 'store-rows', id, rows: page?.done === true ? undefined : page?.value });
  }

  /** @throws SettingsError `QUERY_NOT_PORTABLE` */
  #tell(answer: QueryFromThread): void {
    try {
      this.#post(answer);
    } catch (cause) {
      void this.#reads.get(answer.id)?.return?.();
      throw new SettingsError(
        'QUERY_NOT_PORTABLE',
        'a key or value of the store cannot be handed from one thread to another: only what can be cloned can (no functions)',
        { cause },
      );
    }
  }
}
