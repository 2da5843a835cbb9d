import type { Retention } from '../../layout/retention.ts';
import type { KeyIdentity } from '../../overlay/key-codec.ts';
import type { HeldValue } from '../../overlay/value-codec.ts';
import { OPEN, type Version, type VersionList } from './version-list.ts';
import type { VersionRows } from './version-rows.ts';

/**
 * What versions do to one another: each is valid until the next one of its key begins. The latest version of a key stands
 * apart; a past one stands in the segment of time in which it ended, so that whole segments expire. A deletion stands in the
 * segment of its own time.
 *
 * So the version of a time, or else the one after it, is the first to end after that time: in its segment, or a later one.
 *
 * Source: Kafka Streams `RocksDBVersionedStore` (the semantics; the layout is our own).
 */
export class VersionHistory<K, V> {
  readonly #rows: VersionRows<K, V>;
  readonly #retention: Retention;
  /** Called with a list before it changes: keeps it in memory until it is written. */
  readonly #onChange: (list: VersionList) => void;

  constructor(rows: VersionRows<K, V>, retention: Retention, onChange: (list: VersionList) => void) {
    this.#rows = rows;
    this.#retention = retention;
    this.#onChange = onChange;
  }

  /** The version that was valid at a time, deletions apart. */
  at(identity: KeyIdentity, time: number): Version | undefined {
    const latest = this.#rows.latest(identity).versions[0];
    if (latest !== undefined && latest.from <= time) return latest;
    if (!this.#retention.isReadable(time)) return undefined;
    const first = this.#firstPastAfter(identity, time);
    return first !== undefined && first.from <= time ? first : undefined;
  }

  /**
   * Sets what the key is from a time on, until the next version that is known.
   *
   * @returns the end of the new version; {@link OPEN} when it is the latest
   */
  put(identity: KeyIdentity, held: HeldValue | undefined, time: number): number {
    const list = this.#rows.latest(identity);
    const latest = list.versions[0];
    if (latest !== undefined && latest.from <= time) {
      if (latest.from < time) this.#addPast(identity, { from: latest.from, to: time, held: latest.held });
      return this.#putLatest(list, held, time);
    }
    const next = this.#firstPastAfter(identity, time) ?? latest;
    if (next === undefined) {
      if (held !== undefined) this.#removeDeletion(identity, time);
      return this.#putLatest(list, held, time);
    }
    return this.#putBefore(identity, next, held, time);
  }

  #putLatest(list: VersionList, held: HeldValue | undefined, time: number): number {
    this.#onChange(list);
    list.setOnly(held === undefined ? undefined : { from: time, to: OPEN, held });
    this.#rows.resize(list);
    if (held === undefined) this.#addDeletion(list.identity, time);
    return OPEN;
  }

  /** Puts a version that ends where `next` ends, if that is valid at the time, or else where `next` begins. */
  #putBefore(identity: KeyIdentity, next: Version, held: HeldValue | undefined, time: number): number {
    const splits = next.from <= time;
    if (splits) {
      this.#removePast(identity, next);
      if (next.from < time) this.#addPast(identity, { from: next.from, to: time, held: next.held });
    }
    const end = splits ? next.to : next.from;
    if (held === undefined) {
      this.#addDeletion(identity, time);
    } else {
      this.#removeDeletion(identity, time);
      this.#addPast(identity, { from: time, to: end, held });
    }
    return end;
  }

  #firstPastAfter(identity: KeyIdentity, time: number): Version | undefined {
    const retention = this.#retention;
    const last = retention.bucketOf(retention.observed);
    for (let segment = Math.max(retention.bucketOf(time), retention.firstBucket); segment <= last; segment++) {
      const found = this.#rows.past(segment, identity).firstAfter(time);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #addDeletion(identity: KeyIdentity, time: number): void {
    if (!this.#retention.isStored(time)) return;
    const list = this.#rows.past(this.#retention.bucketOf(time), identity);
    if (list.deletionAt(time) === undefined) this.#insert(list, { from: time, to: time, held: undefined });
  }

  #removeDeletion(identity: KeyIdentity, time: number): void {
    if (!this.#retention.isStored(time)) return;
    const list = this.#rows.past(this.#retention.bucketOf(time), identity);
    const deletion = list.deletionAt(time);
    if (deletion !== undefined) this.#remove(list, deletion);
  }

  #addPast(identity: KeyIdentity, version: Version): void {
    if (!this.#retention.isStored(version.to)) return;
    this.#insert(this.#rows.past(this.#retention.bucketOf(version.to), identity), version);
  }

  #removePast(identity: KeyIdentity, version: Version): void {
    this.#remove(this.#rows.past(this.#retention.bucketOf(version.to), identity), version);
  }

  #insert(list: VersionList, version: Version): void {
    this.#onChange(list);
    list.insert(version);
    this.#rows.resize(list);
  }

  #remove(list: VersionList, version: Version): void {
    this.#onChange(list);
    list.remove(version);
    this.#rows.resize(list);
  }
}
