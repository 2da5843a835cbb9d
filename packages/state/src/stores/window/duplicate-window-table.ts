import { ByteBuffer, CorruptDataError, latin1Slice, ProcessingError, readInt64 } from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { KeyValue, WindowedKey, WindowStore } from '../../contracts/stores.ts';
import { KeySpace } from '../../layout/key-space.ts';
import { MetaRow } from '../../layout/meta-row.ts';
import { BUCKET_PREFIX_BYTES, Retention, segmentWidthMs } from '../../layout/retention.ts';
import { type KeyCodec, type KeyIdentity, keyCodec } from '../../overlay/key-codec.ts';
import { valueCodec } from '../../overlay/value-codec.ts';
import { restoreRow } from '../../table/restore-row.ts';
import { type RowLayout, RowTable } from '../../table/row-table.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { scanWindows, WINDOW_SUFFIX_BYTES, type WindowScan } from '../window-scan.ts';
import type { WindowTableOptions } from '../window-table.ts';
import { WindowReads } from './window-reads.ts';

const SEQUENCE_BYTES = 4;
const SEQUENCE_MAX = 0x7fff_ffff;

/**
 * A window store in which no value replaces another: a sequence number, part of the row's key, tells those of one key and start
 * apart. Putting an absent value does nothing.
 *
 * Layout   `[store id][1][segment, int64][key][start, int64][sequence, int32]` → `[value]`; the changelog key is the part from
 *          `key` on. In memory a row is identified by the bytes of key and sequence.
 *
 * Source: Kafka Streams `RocksDBWindowStore` with `retainDuplicates`. Differs: the sequence goes on after a restart, so that no
 * row is overwritten.
 */
export class DuplicateWindowTable<K, V> extends WindowReads<K, V> implements StateStore, WindowStore<K, V> {
  readonly name: string;
  readonly kind: string;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly #options: Omit<WindowTableOptions<K, V>, 'timestamped' | 'cached'>;
  readonly #scratch = new ByteBuffer(64);
  // Set by `open`, which comes before everything else.
  #table!: RowTable<WindowedKey<K>, V>;
  #keys!: KeyCodec<K>;
  #retention!: Retention;
  #meta!: MetaRow;
  #context!: StoreContext;
  #sequence = 0;
  #sequencePrepared = 0;
  #sequenceCommitted = 0;

  constructor(options: Omit<WindowTableOptions<K, V>, 'timestamped' | 'cached'>) {
    super();
    this.name = options.name;
    this.kind = options.kind;
    this.windowSizeMs = options.windowSizeMs;
    this.retentionMs = options.retentionMs;
    this.#options = options;
  }

  async open(context: StoreContext): Promise<void> {
    const { name, keySerde, valueSerde } = this.#options;
    const space = new KeySpace(context.storeId);
    this.#context = context;
    this.#keys = keyCodec(keySerde, context.changelogTopic);
    this.#meta = new MetaRow(space);
    this.#retention = new Retention(space, this.retentionMs, segmentWidthMs(this.retentionMs));
    const values = valueCodec(valueSerde, context.changelogTopic);
    this.#table = new RowTable({ name, layout: this.#layout(), values, timestamped: false, cached: false, context });
    await this.restored();
  }

  #layout(): RowLayout<WindowedKey<K>> {
    const retention = this.#retention;
    return {
      changelogKeyStart: BUCKET_PREFIX_BYTES,
      writeKey(entry, target) {
        retention.writeBucket(target, retention.bucketOf(entry.bucket.id));
        const text = Buffer.from(entry.identity as string, 'latin1');
        target.writeRange(text, 0, text.length - SEQUENCE_BYTES);
        target.writeInt64(entry.bucket.id);
        target.writeRange(text, text.length - SEQUENCE_BYTES, text.length);
      },
      userKey: (entry) => this.#windowedKey(this.#keyOf(entry.identity), entry.bucket.id),
      keySize: (entry) => (entry.identity as string).length,
      isStored: (entry) => retention.isStored(entry.bucket.id),
      isNews: (entry) => retention.isNews(entry.bucket.id),
    };
  }

  #keyOf(identity: KeyIdentity): K {
    const bytes = Buffer.from(identity as string, 'latin1');
    return this.#keys.key(this.#keys.identityAt(bytes, 0, bytes.length - SEQUENCE_BYTES));
  }

  #windowedKey(key: K, start: number): WindowedKey<K> {
    return { key, window: { start, end: start + this.windowSizeMs } };
  }

  put(key: K, value: V | undefined, windowStart: number): void {
    const identity = this.#nextIdentity(key);
    if (value == null) return;
    const retention = this.#retention;
    if (retention.observe(windowStart)) this.#table.overlay.dropBucketsBelow(retention.oldestReadable);
    if (!retention.isWritable(windowStart)) {
      this.#context.onExpiredRecord(this.name, windowStart);
      return;
    }
    const row = this.#table.find(this.#table.overlay.bucket(windowStart), identity);
    this.#table.write(row, value, this.#context.recordContext.timestamp);
  }

  #nextIdentity(key: K): KeyIdentity {
    this.#writeKey(key);
    this.#sequence = (this.#sequence + 1) & SEQUENCE_MAX;
    this.#scratch.writeInt32(this.#sequence);
    return latin1Slice(this.#scratch.bytes, 0, this.#scratch.length);
  }

  #writeKey(key: K): void {
    if (key == null) {
      const message = 'a store was asked for an absent key; check for it before';
      throw new ProcessingError('STORE_KEY_ABSENT', message, { store: this.name });
    }
    this.#scratch.clear();
    this.#keys.write(this.#keys.identity(key), this.#scratch);
  }

  /** There is no one value. */
  fetch(): never {
    throw new ProcessingError(
      'STORE_HAS_DUPLICATES',
      'fetch of a key and time has several answers in a store that retains duplicates; use fetchRange(key, time, time)',
      { store: this.name },
    );
  }

  protected async *scan(scan: WindowScan): AsyncGenerator<KeyValue<WindowedKey<K>, V>, void> {
    for await (const [rowKey, row] of scanWindows(this.#table, this.#context.database, this.#retention, scan)) {
      const keyEnd = rowKey.length - WINDOW_SUFFIX_BYTES;
      const key = this.#keys.key(this.#keys.identityAt(rowKey, BUCKET_PREFIX_BYTES, keyEnd));
      yield [this.#windowedKey(key, readInt64(rowKey, keyEnd)), row.value];
    }
  }

  protected keyBytes(key: K): Buffer {
    this.#writeKey(key);
    return Buffer.from(this.#scratch.view());
  }

  flushCache(): void {
    // Never cached: no update replaces another.
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    this.#table.prepareCommit(batch, changelog);
    this.#sequencePrepared = this.#sequence;
    if (this.#retention.hasMoved) this.#retention.prepareCommit(batch);
    else if (this.#sequence === this.#sequenceCommitted) return;
    this.#meta.save(batch, [this.#retention.observed, this.#sequence]);
  }

  committed(): void {
    this.#table.committed();
    this.#retention.committed();
    this.#sequenceCommitted = this.#sequencePrepared;
  }

  rollback(): void {
    this.#table.rollback();
    this.#retention.rollback();
    this.#sequence = this.#sequenceCommitted;
  }

  get dirtyBytes(): number {
    return this.#table.dirtyBytes;
  }

  restore(
    batch: WriteBatch,
    _timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const startAt = keyEnd - WINDOW_SUFFIX_BYTES;
    if (startAt < keyStart) {
      throw new CorruptDataError('CHANGELOG_KEY_INVALID', 'a changelog key is too short for a window key', { store: this.name });
    }
    const windowStart = readInt64(source, startAt);
    if (this.#retention.observe(windowStart)) this.#retention.prepareCommit(batch);
    this.#sequence = Math.max(this.#sequence, source.readInt32BE(keyEnd - SEQUENCE_BYTES));
    this.#meta.save(batch, [this.#retention.observed, this.#sequence]);
    if (!this.#retention.isStored(windowStart)) return;
    batch.begin();
    this.#retention.writeBucket(batch.scratch, this.#retention.bucketOf(windowStart));
    restoreRow(batch, undefined, source, keyStart, keyEnd, valueStart, valueEnd);
  }

  async restored(): Promise<void> {
    const numbers = [-1, 0];
    this.#meta.load(this.#context.database, numbers);
    const [observed, sequence] = numbers as [number, number];
    this.#retention.reset(observed);
    this.#sequence = sequence;
    this.#sequenceCommitted = sequence;
  }

  close(): void {
    this.#table.rollback();
  }
}
