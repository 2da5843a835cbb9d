import { ByteBuffer, readInt64, TaskCorruptedError } from '@millrace/core';
import type { StateDatabase } from '../../contracts/engine.ts';
import { asBuffer } from '../../layout/byte-views.ts';
import type { ScanSource } from '../../layout/merged-scan.ts';
import type { Retention } from '../../layout/retention.ts';
import { type Bucket, ENTRY_BYTES } from '../../overlay/entry.ts';
import type { KeyCodec, KeyIdentity } from '../../overlay/key-codec.ts';
import { Overlay } from '../../overlay/overlay.ts';
import type { HeldValue, ValueCodec } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { type Session, SessionList } from './session-list.ts';

/** Bytes of a stored session besides its value: end, start, length. */
const SESSION_HEADER_BYTES = 20;
/** Memory that a session costs besides its value. */
const SESSION_BYTES = 96;

export interface SessionListsOptions<K, V> {
  readonly database: StateDatabase;
  readonly retention: Retention;
  readonly keys: KeyCodec<K>;
  readonly values: ValueCodec<V>;
  readonly cleanCacheBytes: number;
}

/** A session as a scan gives it. */
export interface ScannedSession<V> {
  readonly start: number;
  readonly end: number;
  readonly value: V;
}

/**
 * The session lists of a store: in memory and in the database.
 *
 * Layout   `[store id][1][bucket of the end, int64][key]` → per session `[end, int64][start, int64][length, int32][value]`.
 */
export class SessionLists<K, V> implements ScanSource<SessionList, readonly ScannedSession<V>[]> {
  readonly overlay: Overlay<SessionList>;
  readonly #options: SessionListsOptions<K, V>;
  readonly #scratch = new ByteBuffer(256);

  constructor(options: SessionListsOptions<K, V>) {
    this.#options = options;
    this.overlay = new Overlay(options.cleanCacheBytes, (bucket, identity) => this.#load(bucket, identity));
  }

  find(bucketId: number, identity: KeyIdentity): SessionList {
    return this.overlay.find(this.overlay.bucket(bucketId), identity);
  }

  /** The list of a bucket and key; undefined when it is certain without a read that there is none. */
  peek(bucketId: number, identity: KeyIdentity): SessionList | undefined {
    return this.overlay.peek(this.overlay.bucket(bucketId), identity);
  }

  writeKey(list: SessionList, target: ByteBuffer): void {
    this.#options.retention.writeBucket(target, list.bucket.id);
    this.#options.keys.write(list.identity, target);
  }

  /** Writes the sessions that have values and notes where each value stands. */
  writeSessions(list: SessionList, target: ByteBuffer): void {
    for (const session of list.sessions) {
      if (session.held === undefined) continue;
      target.writeInt64(session.end);
      target.writeInt64(session.start);
      const lengthAt = target.length;
      target.writeInt32(0);
      session.valueStart = target.length;
      this.#options.values.write(session.held, target);
      session.valueEnd = target.length;
      target.bytes.writeInt32BE(session.valueEnd - session.valueStart, lengthAt);
    }
  }

  /** Puts the row of a list into the batch, or deletes it when the list has become empty. */
  put(list: SessionList, batch: WriteBatch): void {
    const { isEmpty } = list;
    if (isEmpty && !list.persisted) return;
    batch.begin();
    this.writeKey(list, batch.scratch);
    batch.endKey();
    if (isEmpty) {
      batch.delete();
    } else {
      this.writeSessions(list, batch.scratch);
      batch.put();
    }
    list.persisted = !isEmpty;
  }

  sizeOf(list: SessionList): number {
    let bytes = ENTRY_BYTES + this.#options.keys.size(list.identity);
    for (const { held } of list.sessions) bytes += SESSION_BYTES + (held === undefined ? 0 : this.#options.values.size(held));
    return bytes;
  }

  hold(value: V): HeldValue {
    return this.#options.values.hold(value);
  }

  valueOf(held: HeldValue): V {
    return this.#options.values.value(held);
  }

  value(session: Session): V | undefined {
    return session.held === undefined ? undefined : this.#options.values.value(session.held);
  }

  forEachUncommitted(visit: (list: SessionList) => void): void {
    this.overlay.forEachPinned(visit);
  }

  freeze(list: SessionList): (() => readonly ScannedSession<V>[]) | undefined {
    const frozen = list.sessions.flatMap(({ start, end, held }) => (held === undefined ? [] : [{ start, end, held }]));
    if (frozen.length === 0) return undefined;
    return () => frozen.map(({ start, end, held }) => ({ start, end, value: this.#options.values.value(held) }));
  }

  decode(bytes: Buffer): readonly ScannedSession<V>[] {
    const rows: ScannedSession<V>[] = [];
    const { values } = this.#options;
    readSessions(bytes, (start, end, from, to) => rows.push({ start, end, value: values.value(values.holdAt(bytes, from, to)) }));
    return rows;
  }

  #load(bucket: Bucket<SessionList>, identity: KeyIdentity): SessionList {
    const list = new SessionList(bucket, identity);
    const found = bucket.isComplete ? undefined : this.#get(list);
    if (found !== undefined) {
      const bytes = asBuffer(found);
      readSessions(bytes, (start, end, from, to) => {
        const session = list.add(start, end);
        session.held = this.#options.values.holdAt(bytes, from, to);
        session.persisted = true;
      });
      list.persisted = true;
    }
    list.bytes = this.sizeOf(list);
    return list;
  }

  #get(list: SessionList): Uint8Array | undefined {
    this.#scratch.clear();
    this.writeKey(list, this.#scratch);
    return this.#options.database.get(this.#scratch.view());
  }
}

/** Visits the ends of the sessions in a stored list. */
export function forEachStoredEnd(bytes: Buffer, visit: (end: number) => void): void {
  readSessions(bytes, (_start, end) => visit(end));
}

function readSessions(bytes: Buffer, visit: (start: number, end: number, valueStart: number, valueEnd: number) => void): void {
  let at = 0;
  while (at < bytes.length) {
    const valueStart = at + SESSION_HEADER_BYTES;
    const valueEnd = valueStart <= bytes.length ? valueStart + bytes.readInt32BE(at + 16) : -1;
    if (valueEnd < valueStart || valueEnd > bytes.length)
      throw new TaskCorruptedError('STATE_CORRUPT', 'a stored session list is cut off');
    visit(readInt64(bytes, at + 8), readInt64(bytes, at), valueStart, valueEnd);
    at = valueEnd;
  }
}
