import type { FetchedPartition } from '@millrace/client';
import {
  WriteBatch,
  type ChangelogWriter,
  type StateDatabase,
  type StateStore,
  type StoreContext,
  type StoreReaderBuilder,
} from '@millrace/state';
import { RecordCursor } from '@millrace/wire';
import { openFetchedBatch } from '../task/fetched-batch-cursor.ts';
import { StateMeta } from './state-meta.ts';

/** Restored records are written in batches of this size: larger ones are slower (performance.md §4.5). */
const RESTORE_RECORDS = 5000;
const RESTORE_BYTES = 4 * 1024 * 1024;

/** Which of the databases of a task: that of the application's engine, or that of stores which are declared to be in memory. */
export type DatabaseKind = 'engine' | 'memory';

/** A store as the task knows it. */
export interface TaskStore {
  readonly store: StateStore;
  /** Name on the broker; `undefined` when logging is off. */
  readonly changelogTopic: string | undefined;
  /** True when the changelog is an input topic of the task: the task then writes nothing to it. */
  readonly sourceIsChangelog: boolean;
  /** How others read it; `undefined`: not at all. */
  readonly reader?: StoreReaderBuilder | undefined;
}

/**
 * Under which name the position in a changelog is kept: that of the store, and for an input that serves as changelog the
 * partition too, as a global store has all of them.
 */
export function positionName(store: string, sourceIsChangelog: boolean, partition: number): string {
  return sourceIsChangelog ? `${store}/${partition}` : store;
}

/**
 * The stores of a task that share a database, and with it the atomic batch of a commit.
 *
 * A task has one group on the engine of the application and, if some of its stores are in memory, another for those.
 */
export class StoreGroup {
  readonly kind: DatabaseKind;
  readonly stores: readonly TaskStore[];
  #meta = new StateMeta(false);
  readonly #database: StateDatabase;
  readonly #opened: TaskStore[] = [];
  readonly #contexts = new Map<TaskStore, StoreContext>();
  readonly #batch = new WriteBatch();
  readonly #cursor = new RecordCursor();
  #restoredRecords = 0;

  constructor(kind: DatabaseKind, database: StateDatabase, stores: readonly TaskStore[]) {
    this.kind = kind;
    this.#database = database;
    this.stores = stores;
  }

  /** Opens the stores. Ids of new stores are written at once: rows must never be there without them. */
  async open(meta: StateMeta, contextOf: (store: TaskStore, storeId: number) => StoreContext): Promise<void> {
    this.#meta = meta;
    const ids = this.stores.map(({ store }) => meta.storeId(store.name, this.#batch));
    await this.#write();
    for (const [i, one] of this.stores.entries()) {
      const context = contextOf(one, ids[i] as number);
      await one.store.open(context);
      this.#opened.push(one);
      this.#contexts.set(one, context);
    }
  }

  /** A store that shows what one of this group has committed, open; to be closed by who reads it. `undefined`: it has no reader. */
  async openReader(one: TaskStore): Promise<StateStore | undefined> {
    const context = this.#contexts.get(one);
    const reader = one.reader?.build();
    if (reader === undefined || context === undefined) return undefined;
    await reader.open({ ...context, cleanCacheBytes: 0, cachingAllowed: false });
    return reader;
  }

  /** Where a changelog is to be continued, see {@link positionName}. */
  changelogOffset(position: string): number | undefined {
    return this.#meta.changelogOffset(position);
  }

  storedInputOffset(input: string): number | undefined {
    return this.#meta.inputOffset(input);
  }

  /**
   * Applies changelog records as they came from the broker; a batch is written when it is large enough.
   *
   * @param endOffset records from here on are left out
   * @returns how many records were applied
   */
  async restore({ store, sourceIsChangelog }: TaskStore, fetched: FetchedPartition, endOffset: number): Promise<number> {
    const position = positionName(store.name, sourceIsChangelog, fetched.partition);
    let applied = 0;
    for (const fetchedBatch of fetched.batches) {
      openFetchedBatch(this.#cursor, fetchedBatch, fetched.fetchOffset);
      for (let more = this.#cursor.next(); more && this.#cursor.offset < endOffset; more = this.#cursor.next()) {
        if (this.#restoreRecord(store)) applied++;
        if (!this.#restoreBatchIsFull()) continue;
        this.#meta.setChangelogOffset(position, this.#cursor.offset + 1, this.#batch);
        await this.#writeRestored();
      }
    }
    this.#meta.setChangelogOffset(position, Math.min(fetched.nextOffset, endOffset), this.#batch);
    return applied;
  }

  /** Null keys are skipped, as Kafka Streams does: nothing can have written them. */
  #restoreRecord(store: StateStore): boolean {
    const { buffer, timestamp, keyStart, keyEnd, valueStart, valueEnd } = this.#cursor;
    if (keyStart < 0) return false;
    store.restore(this.#batch, timestamp, buffer, keyStart, keyEnd, valueStart, valueEnd);
    this.#restoredRecords++;
    return true;
  }

  #restoreBatchIsFull(): boolean {
    return this.#restoredRecords >= RESTORE_RECORDS || this.#batch.byteLength >= RESTORE_BYTES;
  }

  async #writeRestored(): Promise<void> {
    await this.#write();
    this.#restoredRecords = 0;
  }

  /** Writes what is left of the restored records. The stores may be read afterwards. */
  async finishRestore(): Promise<void> {
    await this.flushRestored();
    for (const { store } of this.stores) await store.restored();
  }

  /** Writes what is left of the restored records, and up to where they reach. More may follow. */
  async flushRestored(): Promise<void> {
    if (this.#batch.size > 0) await this.#writeRestored();
  }

  /** Serialises the dirty rows of a store. */
  prepareCommit(store: StateStore, changelog: ChangelogWriter | undefined): void {
    store.prepareCommit(this.#batch, changelog);
  }

  setChangelogOffset(position: string, offset: number): void {
    this.#meta.setChangelogOffset(position, offset, this.#batch);
  }

  setInputOffset(input: string, offset: number): void {
    this.#meta.setInputOffset(input, offset, this.#batch);
  }

  /** Writes the batch of the commit; the rows in it are clean from then on. `undefined`: it has been written already. */
  commit(): Promise<void> | undefined {
    const written = this.#write();
    if (written !== undefined) return written.then(() => this.#committed());
    this.#committed();
    return undefined;
  }

  #committed(): void {
    for (let i = 0; i < this.stores.length; i++) (this.stores[i] as TaskStore).store.committed();
  }

  rollback(): void {
    this.#batch.clear();
    for (const { store } of this.stores) store.rollback();
  }

  async close(): Promise<void> {
    this.#closeStores();
    await this.#database.close();
  }

  /** Closes the stores and hands over the database, which stays open. What is uncommitted is lost. */
  async detach(): Promise<StateDatabase> {
    this.#closeStores();
    this.#meta.saveOffsets(this.#batch);
    await this.#write();
    return this.#database;
  }

  #closeStores(): void {
    for (const { store } of this.#opened.splice(0)) store.close();
  }

  #write(): Promise<void> | undefined {
    const batch = this.#batch;
    if (batch.size === 0) return undefined;
    const written = this.#database.write(batch);
    if (written !== undefined) return written.then(() => batch.clear());
    batch.clear();
    return undefined;
  }
}
