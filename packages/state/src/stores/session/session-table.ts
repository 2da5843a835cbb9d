import { assert, ByteBuffer, CorruptDataError, ProcessingError, readInt64, type Serde, TopologyError } from '@millrace/core';
import type { ChangelogWriter, FlushListener, StateStore, StoreContext } from '../../contracts/state-store.ts';
import type { ClosedRowVisitor, ClosingStore } from '../../contracts/closing-store.ts';
import type { KeyValue, SessionRow, SessionStore, WindowedKey } from '../../contracts/stores.ts';
import { KeySpace, ROW_TAG } from '../../layout/key-space.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import { MetaRow } from '../../layout/meta-row.ts';
import { BUCKET_PREFIX_BYTES, Retention } from '../../layout/retention.ts';
import { Bucket, HELD } from '../../overlay/entry.ts';
import { type HeldUpdate, HeldUpdates, reportedValue } from '../../overlay/held-updates.ts';
import { type KeyCodec, type KeyIdentity, keyCodec, RAW_KEYS } from '../../overlay/key-codec.ts';
import { RestorePins } from '../../overlay/restore-pins.ts';
import { RAW_VALUES, valueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { sortByKeyBytes } from '../closing/sort-by-key-bytes.ts';
import { ClosingRows } from '../closing/closing-rows.ts';
import type { TakenRows } from '../closing/unemitted-rows.ts';
import { type Session, SessionList } from './session-list.ts';
import { scanSessions } from './scan-sessions.ts';
import { forEachStoredEnd, SessionLists } from './session-lists.ts';

/** What a session store is made with. */
export interface SessionTableOptions<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly retentionMs: number;
  readonly gapMs: number;
  readonly cached: boolean;
  /** Whether results are emitted once, when sessions close. */
  readonly emitsClosed: boolean;
}

/** Bytes after the key in a session key: end and start. */
const SESSION_SUFFIX_BYTES = 16;
/** A search goes through at most about so many time buckets. */
const BUCKETS_PER_RETENTION = 64;

interface Restoring {
  readonly lists: SessionLists<string, Buffer>;
  readonly pins: RestorePins<SessionList>;
}

/**
 * Sessions by key. The sessions of a key that end in one time bucket are one row, so that a search is a few point reads;
 * buckets are as wide as the inactivity gap, so that a row has one or two sessions.
 *
 * Changelog: `[key][end, int64][start, int64]` → value, timestamp = end; no value when removed.
 * Source: Kafka Streams `RocksDBSessionStore`, `SessionKeySchema`, `CachingSessionStore`.
 */
export class SessionTable<K, V> implements StateStore, SessionStore<K, V>, ClosingStore<K, V> {
  readonly name: string;
  readonly kind = 'session';
  readonly retentionMs: number;
  readonly #options: SessionTableOptions<K, V>;
  readonly #held = new HeldUpdates<Session>();
  readonly #logKey = new ByteBuffer(64);
  readonly #found: SessionRow[] = [];
  // Set by `open`, which comes before everything else.
  #lists!: SessionLists<K, V>;
  #keys!: KeyCodec<K>;
  #space!: KeySpace;
  #retention!: Retention;
  #meta!: MetaRow;
  #context!: StoreContext;
  #cached = false;
  #listener: FlushListener<WindowedKey<K>, V> | undefined;
  #sendOldValues = false;
  #restoring: Restoring | undefined;
  #closing: ClosingRows | undefined;

  constructor(options: SessionTableOptions<K, V>) {
    this.name = options.name;
    this.retentionMs = options.retentionMs;
    this.#options = options;
  }

  async open(context: StoreContext): Promise<void> {
    const { keySerde, valueSerde, retentionMs, gapMs, cached } = this.#options;
    const { database, cleanCacheBytes, changelogTopic } = context;
    const bucketMs = Math.max(gapMs, Math.ceil(retentionMs / BUCKETS_PER_RETENTION), 1);
    this.#context = context;
    this.#cached = cached && context.cachingAllowed;
    this.#keys = keyCodec(keySerde, changelogTopic);
    this.#space = new KeySpace(context.storeId);
    this.#meta = new MetaRow(this.#space);
    this.#retention = new Retention(this.#space, retentionMs, bucketMs);
    this.#closing = this.#options.emitsClosed ? this.#closingRows() : undefined;
    const values = valueCodec(valueSerde, changelogTopic);
    this.#lists = new SessionLists({ database, retention: this.#retention, keys: this.#keys, values, cleanCacheBytes });
    await this.restored();
  }

  #closingRows(): ClosingRows {
    const onExpired = () => this.#lists.overlay.dropBucketsBelow(this.#retention.firstBucket);
    // The end is inclusive: a session can still change at that very time.
    return new ClosingRows({ retention: this.#retention, closesAfterMs: 1, onExpired });
  }

  get cached(): boolean {
    return this.#cached;
  }

  setFlushListener(listener: FlushListener<WindowedKey<K>, V>, sendOldValues: boolean): void {
    this.#listener = listener;
    this.#sendOldValues = sendOldValues;
  }

  put(key: K, start: number, end: number, value: V | undefined): void {
    if (this.#retention.observe(end)) this.#lists.overlay.dropBucketsBelow(this.#retention.firstBucket);
    if (!this.#retention.isWritable(end)) {
      this.#context.onExpiredRecord(this.name, end);
      return;
    }
    const list = this.#listFor(this.#identity(key), end);
    const session = list.get(start, end) ?? (value != null || this.#retention.isNews(end) ? list.add(start, end) : undefined);
    if (session === undefined) return;
    if (this.#closing !== undefined) this.#notePresence(this.#closing, session, value != null);
    this.#write(list, session, value);
  }

  /** A session is about to be made, changed or removed. */
  #notePresence(closing: ClosingRows, { end, identity, held }: Session, present: boolean): void {
    if (present !== (held !== undefined) && this.#retention.isStored(end)) closing.note(end, identity, present);
  }

  remove(key: K, start: number, end: number): void {
    this.put(key, start, end, undefined);
  }

  #identity(key: K): KeyIdentity {
    if (key != null) return this.#keys.identity(key);
    throw new ProcessingError('STORE_KEY_ABSENT', 'a store was asked for an absent key; check for it before', {
      store: this.name,
    });
  }

  /** A session in a bucket that is gone gets a list of its own, which goes no further than the changelog. */
  #listFor(identity: KeyIdentity, end: number): SessionList {
    if (this.#retention.isStored(end)) return this.#lists.find(this.#retention.bucketOf(end), identity);
    return new SessionList(new Bucket(this.#retention.bucketOf(end)), identity);
  }

  #write(list: SessionList, session: Session, value: V | undefined): void {
    if (this.#cached) {
      if ((session.update?.position ?? -1) < 0) list.heldBack++;
      this.#held.hold(session, session.held, session.end, this.#context.recordContext);
      this.#lists.overlay.pin(list, HELD);
    } else {
      this.#noteChange(list, session);
    }
    session.held = value == null ? undefined : this.#lists.hold(value);
    this.#lists.overlay.resize(list, this.#lists.sizeOf(list));
  }

  #noteChange(list: SessionList, session: Session): void {
    this.#lists.overlay.markDirty(list);
    session.changed = true;
  }

  find(key: K, earliestEnd: number, latestStart: number, into: SessionRow[]): void {
    into.length = 0;
    const identity = this.#identity(key);
    const from = Math.max(earliestEnd, this.#retention.oldestReadable, 0);
    const lastBucket = this.#retention.bucketOf(this.#retention.observed);
    for (let bucket = this.#retention.bucketOf(from); bucket <= lastBucket; bucket++) {
      const list = this.#lists.peek(bucket, identity);
      if (list === undefined) continue;
      for (const session of list.sessions) {
        if (session.held !== undefined && session.end >= from && session.start <= latestStart) into.push(session);
      }
    }
  }

  // ---- see `ClosingStore`; only of stores that emit when sessions close ----

  get emittedUntil(): number {
    return this.#closing?.emittedUntil ?? -1;
  }

  emitClosed(closeTime: number, visit: ClosedRowVisitor<K, V>): void {
    if (this.#closing === undefined) {
      const message = 'a session store cannot tell which sessions have closed; make it with the option `emitsClosed`';
      throw new TopologyError('STORE_NOT_INDEXED', message, { store: this.name });
    }
    this.#closing.emit(closeTime, (taken) => {
      for (const session of sortByKeyBytes(this.#sessionsOf(taken), this.#keys, (a, b) => a.start - b.start)) {
        const { start, end } = session;
        const value = this.read(session);
        if (value !== undefined) visit(windowedKey(this.#keys.key(session.identity), start, end), value, end);
      }
    });
  }

  #sessionsOf({ time, keys }: TakenRows): Session[] {
    const bucket = this.#retention.bucketOf(time);
    const lists = Array.from(keys, (identity) => this.#lists.find(bucket, identity));
    return lists.flatMap(({ sessions }) => sessions.filter(({ end, held }) => end === time && held !== undefined));
  }

  resumeEmission(closeTime: number): void {
    this.#closing?.resume(closeTime);
  }

  read(row: SessionRow): V | undefined {
    return this.#lists.value(row as Session);
  }

  fetchSession(key: K, start: number, end: number): V | undefined {
    const session = this.#session(key, start, end);
    return session === undefined ? undefined : this.#lists.value(session);
  }

  fetchReportedSession(key: K, start: number, end: number): V | undefined {
    const session = this.#session(key, start, end);
    const held = session === undefined ? undefined : reportedValue(session);
    return held === undefined ? undefined : this.#lists.valueOf(held);
  }

  #session(key: K, start: number, end: number): Session | undefined {
    if (!this.#retention.isReadable(end) || end > this.#retention.observed) return undefined;
    return this.#lists.peek(this.#retention.bucketOf(end), this.#identity(key))?.get(start, end);
  }

  fetch(key: K): Iterable<KeyValue<WindowedKey<K>, V>> {
    return this.findSessions(key, 0, Number.MAX_SAFE_INTEGER);
  }

  backwardFetch(key: K): Iterable<KeyValue<WindowedKey<K>, V>> {
    return [...this.fetch(key)].reverse();
  }

  findSessions(key: K, earliestEnd: number, latestStart: number): Iterable<KeyValue<WindowedKey<K>, V>> {
    this.find(key, earliestEnd, latestStart, this.#found);
    return this.#found.map((row) => [windowedKey(key, row.start, row.end), this.read(row) as V]);
  }

  backwardFindSessions(key: K, earliestEnd: number, latestStart: number): Iterable<KeyValue<WindowedKey<K>, V>> {
    return [...this.findSessions(key, earliestEnd, latestStart)].reverse();
  }

  all(): AsyncIterable<KeyValue<WindowedKey<K>, V>> {
    return this.fetchKeys(undefined, undefined);
  }

  fetchKeys(from: K | undefined, to: K | undefined): AsyncIterable<KeyValue<WindowedKey<K>, V>> {
    const { database } = this.#context;
    const oldest = this.#retention.oldestReadable;
    return scanSessions({ lists: this.#lists, database, space: this.#space, keys: this.#keys, oldest, from, to });
  }

  flushCache(): void {
    this.#held.flush(this.#context.recordContext, (session, update) => this.#flushSession(session, update));
  }

  #flushSession(session: Session, update: HeldUpdate): void {
    const { list } = session;
    // Made and removed since the last flush: nobody has heard of the session, and nobody has to.
    const vanished = session.held === undefined && update.before === undefined;
    if (!vanished || this.#retention.isNews(session.end)) this.#noteChange(list, session);
    else if (!session.changed) list.drop(session);
    if (--list.heldBack === 0) this.#lists.overlay.unpin(list, HELD);
    if (vanished || this.#listener === undefined) return;
    const oldValue = this.#sendOldValues && update.before !== undefined ? this.#lists.valueOf(update.before) : undefined;
    this.#listener(
      windowedKey(this.#keys.key(list.identity), session.start, session.end),
      this.read(session),
      oldValue,
      session.end,
    );
  }

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    assert(this.#held.isEmpty, `store ${this.name} is committed while it holds back updates; flush it first`);
    for (const list of this.#lists.overlay.startCommit()) this.#commitList(list, batch, changelog);
    this.#closing?.prepareCommit();
    if (!this.#retention.hasMoved && this.#closing?.hasMoved !== true) return;
    this.#retention.prepareCommit(batch);
    this.#meta.save(batch, this.#metaNumbers());
  }

  #metaNumbers(): number[] {
    const { observed } = this.#retention;
    return this.#closing === undefined ? [observed] : [observed, this.#closing.emittedUntil];
  }

  #commitList(list: SessionList, batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    if (list.bucket.id >= this.#retention.firstBucket) this.#lists.put(list, batch);
    else this.#lists.writeSessions(list, batch.scratch);
    for (const session of list.sessions) {
      if (!session.changed) continue;
      session.changed = false;
      const present = session.held !== undefined;
      if (changelog !== undefined && (present || session.persisted || this.#retention.isNews(session.end)))
        this.#log(session, batch.scratch.bytes, changelog);
      session.persisted = present;
    }
    list.dropRemoved();
  }

  #log(session: Session, values: Buffer, changelog: ChangelogWriter): void {
    const key = this.#logKey;
    const present = session.held !== undefined;
    key.clear();
    this.#keys.write(session.list.identity, key);
    key.writeInt64(session.end);
    key.writeInt64(session.start);
    changelog.append(
      session.end,
      key.bytes,
      0,
      key.length,
      values,
      present ? session.valueStart : -1,
      present ? session.valueEnd : -1,
    );
  }

  committed(): void {
    this.#lists.overlay.endCommit();
    this.#closing?.committed();
    this.#retention.committed();
  }

  rollback(): void {
    this.#lists.overlay.clear();
    this.#held.clear();
    this.#retention.rollback();
    this.#closing?.rollback();
  }

  get dirtyBytes(): number {
    return this.#lists.overlay.pinnedBytes;
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
    const suffix = keyEnd - SESSION_SUFFIX_BYTES;
    if (suffix < keyStart)
      throw new CorruptDataError('CHANGELOG_KEY_INVALID', 'a changelog key is too short for a session key', { store: this.name });
    const end = readInt64(source, suffix);
    const start = readInt64(source, suffix + 8);
    this.#closing?.restoring();
    if (this.#retention.observe(end)) this.#retention.prepareCommit(batch);
    this.#meta.save(batch, this.#metaNumbers());
    if (!this.#retention.isStored(end)) return;
    this.#restoring ??= this.#startRestoring();
    const { lists, pins } = this.#restoring;
    pins.release();
    const list = lists.find(this.#retention.bucketOf(end), RAW_KEYS.identityAt(source, keyStart, suffix));
    pins.pin(list, batch);
    const session = list.get(start, end) ?? list.add(start, end);
    session.held = valueStart < 0 ? undefined : RAW_VALUES.holdAt(source, valueStart, valueEnd);
    lists.overlay.resize(list, lists.sizeOf(list));
    lists.put(list, batch);
    if (session.held === undefined) list.drop(session);
  }

  #startRestoring(): Restoring {
    const { database, cleanCacheBytes } = this.#context;
    const lists = new SessionLists({ database, retention: this.#retention, keys: RAW_KEYS, values: RAW_VALUES, cleanCacheBytes });
    return { lists, pins: new RestorePins(lists.overlay) };
  }

  async restored(): Promise<void> {
    this.#restoring = undefined;
    const numbers = [-1, -1];
    this.#meta.load(this.#context.database, numbers);
    const [observed, emittedUntil] = numbers as [number, number];
    this.#retention.reset(observed);
    this.#lists.overlay.trustEmptyFrom(this.#retention.bucketOf(observed) + 1);
    await this.#closing?.load(emittedUntil, (from, add) => this.#scanFrom(from, add));
  }

  async #scanFrom(from: number, add: (end: number, key: KeyIdentity) => void): Promise<void> {
    const first = new ByteBuffer(BUCKET_PREFIX_BYTES);
    this.#retention.writeBucket(first, this.#retention.bucketOf(from));
    const range = { gte: first.view(), lt: this.#space.bound(ROW_TAG + 1) };
    for await (const [rowKey, row] of this.#context.database.entries(range)) {
      const identity = this.#keys.identityAt(asBuffer(rowKey), BUCKET_PREFIX_BYTES, rowKey.length);
      forEachStoredEnd(asBuffer(row), (end) => add(end, identity));
    }
  }

  close(): void {
    this.rollback();
  }
}

function windowedKey<K>(key: K, start: number, end: number): WindowedKey<K> {
  return { key, window: { start, end } };
}
