import { assert, type Headers, RecordContext, silentLogger } from '@millrace/core';
import type { StateDatabase, StateEngine } from '../contracts/engine.ts';
import type { ChangelogWriter, StateStore, StoreBuilder, StoreContext } from '../contracts/state-store.ts';
import { WriteBatch } from '../write-batch.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';

/** A record as it would stand in the changelog topic. */
export interface LoggedRecord {
  readonly timestamp: number;
  readonly key: Buffer;
  readonly value: Buffer | undefined;
  readonly headers?: Headers;
}

export interface StoreRigOptions {
  readonly harness: StateEngineHarness;
  readonly cleanCacheBytes?: number;
  readonly cachingAllowed?: boolean;
}

/**
 * A store in the hands of a task that does nothing else: opens, commits, rolls back, closes, and restores it from what it
 * has written to its changelog.
 */
export class StoreRig<S extends StateStore> {
  readonly record = new RecordContext();
  readonly changelog: LoggedRecord[] = [];
  /** Times of the rows that the store has refused. */
  readonly refused: number[] = [];
  readonly #builder: StoreBuilder<S>;
  readonly #options: StoreRigOptions;
  readonly #batch = new WriteBatch();
  readonly #pending: LoggedRecord[] = [];
  readonly #onOpen: (store: S) => void;
  #engine: StateEngine;
  #database!: StateDatabase;
  #directory = '/task/0_0';
  #store!: S;

  private constructor(builder: StoreBuilder<S>, options: StoreRigOptions, onOpen: (store: S) => void) {
    this.#builder = builder;
    this.#options = options;
    this.#onOpen = onOpen;
    this.#engine = options.harness.createEngine();
  }

  static async open<S extends StateStore>(
    builder: StoreBuilder<S>,
    options: StoreRigOptions,
    onOpen: (store: S) => void = () => undefined,
  ): Promise<StoreRig<S>> {
    const rig = new StoreRig(builder, options, onOpen);
    await rig.#open(true);
    return rig;
  }

  get store(): S {
    return this.#store;
  }

  async #open(fresh: boolean): Promise<void> {
    if (fresh) this.#directory = (await this.#options.harness.createDirectory?.()) ?? this.#directory;
    this.#database = await this.#engine.open({ directory: this.#directory, taskId: '0_0', logger: silentLogger });
    this.#store = this.#builder.build();
    await this.#store.open(this.#context());
    this.#onOpen(this.#store);
  }

  #context(): StoreContext {
    return {
      database: this.#database,
      storeId: 7,
      changelogTopic: `app-${this.#builder.name}-changelog`,
      recordContext: this.record,
      cleanCacheBytes: this.#options.cleanCacheBytes ?? 1 << 20,
      cachingAllowed: this.#options.cachingAllowed ?? true,
      onExpiredRecord: (_store, timestamp) => this.refused.push(timestamp),
      logger: silentLogger,
    };
  }

  /** What a query reads; to be closed. */
  async openReader(): Promise<S> {
    const reader = this.#builder.reader?.build();
    assert(reader !== undefined, `a store of kind ${this.#builder.kind} has no readers`);
    await reader.open({ ...this.#context(), cleanCacheBytes: 0, cachingAllowed: false });
    return reader as S;
  }

  /** The record that the task is working on from now on. */
  workOn(timestamp: number, offset = 0): void {
    this.record.set('input', 0, offset, timestamp, []);
  }

  async commit(meanwhile: () => void = () => undefined): Promise<void> {
    this.prepareCommit();
    meanwhile();
    await this.finishCommit();
  }

  prepareCommit(): void {
    this.#store.flushCache();
    this.#batch.clear();
    this.#store.prepareCommit(this.#batch, this.#changelogWriter());
  }

  async finishCommit(): Promise<void> {
    await this.#database.write(this.#batch);
    this.#store.committed();
    this.changelog.push(...this.#pending);
    this.#pending.length = 0;
  }

  rollback(): void {
    this.#pending.length = 0;
    this.#store.rollback();
  }

  #changelogWriter(): ChangelogWriter {
    return {
      append: (timestamp, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, headers) => {
        const key = Buffer.from(keyBytes.subarray(keyStart, keyEnd));
        const value = valueStart < 0 ? undefined : Buffer.from(valueBytes.subarray(valueStart, valueEnd));
        this.#pending.push({ timestamp, key, value, ...(headers && { headers }) });
      },
    };
  }

  /** Closes the database and opens it again; without a persistent engine the changelog brings the rows back. */
  async reopen(): Promise<void> {
    await this.close();
    await this.#open(false);
    if (!this.#engine.persistent) await this.#restore();
  }

  /** Opens the store over an empty database and restores it from the changelog, as another process would. */
  async move(): Promise<void> {
    await this.close();
    await this.#open(true);
    await this.#restore();
  }

  /**
   * The process dies when Kafka has committed what was prepared, before the local batch is written: the changelog brings the
   * rest to the rows that are there.
   */
  async dieBeforeWrite(): Promise<void> {
    const stored = this.changelog.length;
    this.changelog.push(...this.#pending);
    await this.close();
    await this.#open(false);
    await this.#restore(this.#engine.persistent ? stored : 0);
  }

  async #restore(from = 0): Promise<void> {
    const batch = new WriteBatch();
    let records = 0;
    for (const { timestamp, key, value } of this.changelog.slice(from)) {
      const source = Buffer.concat([key, value ?? Buffer.alloc(0)]);
      const valueStart = value === undefined ? -1 : key.length;
      this.#store.restore(batch, timestamp, source, 0, key.length, valueStart, value === undefined ? -1 : source.length);
      // Batches that end in the middle of a key's records are the interesting ones.
      if (++records % 3 === 0) await this.#writeAndClear(batch);
    }
    await this.#writeAndClear(batch);
    await this.#store.restored();
  }

  async #writeAndClear(batch: WriteBatch): Promise<void> {
    await this.#database.write(batch);
    batch.clear();
  }

  async close(): Promise<void> {
    this.#pending.length = 0;
    this.#store.close();
    await this.#database.close();
  }
}

export async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
