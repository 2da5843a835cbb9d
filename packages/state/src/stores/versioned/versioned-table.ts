import { type ByteBuffer, ProcessingError, type Serde } from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { KeyValue, Row, ValueAndTimestamp, VersionedKeyValueStore } from '../../contracts/stores.ts';
import { KeySpace, PREFIX_BYTES } from '../../layout/key-space.ts';
import { mergedScan } from '../../layout/merged-scan.ts';
import { MetaRow } from '../../layout/meta-row.ts';
import { Retention } from '../../layout/retention.ts';
import { type KeyCodec, type KeyIdentity, keyCodec } from '../../overlay/key-codec.ts';
import { type ValueCodec, valueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { PutLog } from './put-log.ts';
import { VersionHistory } from './version-history.ts';
import { OPEN, type Version, type VersionList } from './version-list.ts';
import { VersionRestore } from './version-restore.ts';
import { LATEST_TAG, VersionRows } from './version-rows.ts';

/** What a versioned store is made with. */
export interface VersionedTableOptions<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly historyRetentionMs: number;
  readonly segmentMs: number;
}

/**
 * Values by key and time.
 *
 * Changelog: key → value, with the time of the version as the record's timestamp, one record per put in the order of the puts.
 */
export class VersionedTable<K, V> implements StateStore, VersionedKeyValueStore<K, V> {
  readonly name: string;
  readonly kind = 'versioned';
  readonly historyRetentionMs: number;
  readonly cached = false;
  lastPut: number | undefined = undefined;
  readonly #options: VersionedTableOptions<K, V>;
  readonly #log = new PutLog();
  // Set by `open`, which comes before everything else.
  #context!: StoreContext;
  #space!: KeySpace;
  #keys!: KeyCodec<K>;
  #values!: ValueCodec<V>;
  #retention!: Retention;
  #meta!: MetaRow;
  #rows!: VersionRows<K, V>;
  #history!: VersionHistory<K, V>;
  #restore: VersionRestore | undefined;

  constructor(options: VersionedTableOptions<K, V>) {
    this.name = options.name;
    this.historyRetentionMs = options.historyRetentionMs;
    this.#options = options;
  }

  async open(context: StoreContext): Promise<void> {
    const { keySerde, valueSerde, historyRetentionMs, segmentMs } = this.#options;
    this.#context = context;
    this.#space = new KeySpace(context.storeId);
    this.#meta = new MetaRow(this.#space);
    this.#keys = keyCodec(keySerde, context.changelogTopic);
    this.#values = valueCodec(valueSerde, context.changelogTopic);
    // The history includes its first millisecond, a retention does not.
    this.#retention = new Retention(this.#space, historyRetentionMs + 1, segmentMs);
    this.#rows = new VersionRows({ ...this.#layout(), keys: this.#keys, values: this.#values });
    this.#history = new VersionHistory(this.#rows, this.#retention, (list) => this.#rows.overlay.markDirty(list));
    await this.restored();
  }

  #layout() {
    const { database, cleanCacheBytes } = this.#context;
    return { name: this.name, database, space: this.#space, retention: this.#retention, cleanCacheBytes };
  }

  // ---- as rows: the latest value of each key ----

  setFlushListener(): void {
    // Nothing is ever held back.
  }

  find(key: K): Row {
    return this.#rows.latest(this.#identity(key));
  }

  read(row: Row): V | undefined {
    const held = (row as VersionList).versions[0]?.held;
    return held === undefined ? undefined : this.#values.value(held);
  }

  readReported(row: Row): V | undefined {
    return this.read(row);
  }

  markSeen(): void {
    // Nothing is ever held back.
  }

  write(row: Row, value: V | undefined, timestamp: number): void {
    this.#put((row as VersionList).identity, value, timestamp);
  }

  // ---- as a store ----

  get(key: K, asOf = OPEN): ValueAndTimestamp<V> | undefined {
    return this.#resultOf(this.#history.at(this.#identity(key), asOf));
  }

  put(key: K, value: V | undefined, timestamp: number): number | undefined {
    return this.#put(this.#identity(key), value, timestamp);
  }

  delete(key: K, timestamp: number): ValueAndTimestamp<V> | undefined {
    const identity = this.#identity(key);
    const before = this.#retention.isReadable(timestamp) ? this.#resultOf(this.#history.at(identity, timestamp)) : undefined;
    this.#put(identity, undefined, timestamp);
    return before;
  }

  #put(identity: KeyIdentity, value: V | undefined, timestamp: number): number | undefined {
    const retention = this.#retention;
    if (!retention.isReadable(timestamp)) {
      this.#context.onExpiredRecord(this.name, timestamp);
      this.lastPut = undefined;
      return undefined;
    }
    if (retention.observe(timestamp)) this.#rows.overlay.dropBucketsBelow(retention.firstBucket);
    const held = value == null ? undefined : this.#values.hold(value);
    const end = this.#history.put(identity, held, timestamp);
    this.#log.add(identity, held, timestamp, held === undefined ? 0 : this.#values.size(held));
    this.lastPut = end === OPEN ? Infinity : end;
    return this.lastPut;
  }

  #identity(key: K): KeyIdentity {
    if (key == null) {
      const message = 'a store was asked for an absent key; check for it before';
      throw new ProcessingError('STORE_KEY_ABSENT', message, { store: this.name });
    }
    return this.#keys.identity(key);
  }

  #resultOf(version: Version | undefined): ValueAndTimestamp<V> | undefined {
    if (version === undefined || version.held === undefined) return undefined;
    return { value: this.#values.value(version.held), timestamp: version.from };
  }

  async *all(): AsyncGenerator<KeyValue<K, ValueAndTimestamp<V>>, void> {
    const rows = this.#rows;
    const source = {
      forEachUncommitted: (visit: (list: VersionList) => void) => {
        rows.overlay.forEachUncommitted((list) => {
          if (rows.isLatest(list)) visit(list);
        });
      },
      writeKey: (list: VersionList, target: ByteBuffer) => rows.writeKey(list, target),
      freeze: ({ versions: [latest] }: VersionList) => (latest === undefined ? undefined : () => latest),
      decode: (bytes: Buffer) => rows.decode(bytes)[0] as Version,
    };
    const range = { gte: this.#space.bound(LATEST_TAG), lt: this.#space.bound(LATEST_TAG + 1) };
    for await (const [key, version] of mergedScan(source, { database: this.#context.database, range, reverse: false })) {
      const result = this.#resultOf(version);
      if (result !== undefined) yield [this.#keys.key(this.#keys.identityAt(key, PREFIX_BYTES, key.length)), result];
    }
  }

  // ---- as part of a task ----

  flushCache(): void {
    // Nothing is ever held back.
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    this.#log.writeTo(changelog, this.#keys, this.#values);
    for (const list of this.#rows.overlay.startCommit()) this.#rows.put(list, batch);
    if (!this.#retention.hasMoved) return;
    this.#retention.prepareCommit(batch);
    this.#meta.save(batch, [this.#retention.observed]);
  }

  committed(): void {
    this.#rows.overlay.endCommit();
    this.#retention.committed();
  }

  rollback(): void {
    this.#rows.overlay.clear();
    this.#retention.rollback();
    this.#log.clear();
  }

  get dirtyBytes(): number {
    return this.#rows.overlay.pinnedBytes + this.#log.bytes;
  }

  restore(
    batch: WriteBatch,
    timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.#retention.observe(timestamp)) this.#retention.prepareCommit(batch);
    this.#meta.save(batch, [this.#retention.observed]);
    this.#restore ??= new VersionRestore(this.#layout());
    this.#restore.apply(batch, timestamp, source, keyStart, keyEnd, valueStart, valueEnd);
  }

  async restored(): Promise<void> {
    this.#restore = undefined;
    const numbers = [-1];
    this.#meta.load(this.#context.database, numbers);
    this.#retention.reset(numbers[0] as number);
  }

  close(): void {
    this.rollback();
  }
}
