import { assert } from '@millrace/core';
import type { Row } from '../../contracts/stores.ts';
import { type Bucket, ENTRY_BYTES, Entry } from '../../overlay/entry.ts';
import type { KeyIdentity } from '../../overlay/key-codec.ts';
import type { HeldValue, ValueCodec } from '../../overlay/value-codec.ts';

/** The end of a version that no later one has replaced. */
export const OPEN = Number.MAX_SAFE_INTEGER;

/** Memory that a version costs besides its value. */
const VERSION_BYTES = 72;

/** The versions of a key that nothing is known of; shared, so never changed. */
const NONE: Version[] = [];

/**
 * What a key was from `from` until just before `to`. Without a value it is a deletion, of which only the time counts: then
 * `to` equals `from`.
 */
export interface Version {
  readonly from: number;
  readonly to: number;
  readonly held: HeldValue | undefined;
}

/** The latest version of a key (in the root bucket), or those that ended in one segment of time, in order of their ends. */
export class VersionList extends Entry implements Row {
  versions: Version[] = NONE;
  /** Whether the last commit left a row in the database. */
  persisted = false;

  constructor(bucket: Bucket<Entry>, identity: KeyIdentity) {
    super(bucket, identity);
  }

  /** Of the latest version; −1 when there is none. */
  get timestamp(): number {
    return this.versions[0]?.from ?? -1;
  }

  /** The first version that ends after a time. */
  firstAfter(time: number): Version | undefined {
    const { versions } = this;
    const last = versions.at(-1);
    if (last === undefined || last.to <= time) return undefined;
    return versions.find((version) => version.to > time);
  }

  insert(version: Version): void {
    if (this.versions === NONE) this.versions = [];
    const { versions } = this;
    let at = versions.length;
    while (at > 0 && isBehind(versions[at - 1] as Version, version)) at--;
    versions.splice(at, 0, version);
  }

  /** Removes the version with these times: the list may have been loaded again since it was looked up. */
  remove({ from, to }: Version): void {
    const at = this.versions.findIndex((version) => version.from === from && version.to === to);
    assert(at >= 0, 'a version is to be removed that its list does not have');
    this.versions.splice(at, 1);
  }

  setOnly(version: Version | undefined): void {
    this.versions = version === undefined ? NONE : [version];
  }

  /** The deletion at exactly that time. */
  deletionAt(time: number): Version | undefined {
    return this.versions.find((version) => version.held === undefined && version.to === time);
  }

  size<V>(values: ValueCodec<V>, keyBytes: number): number {
    let bytes = ENTRY_BYTES + keyBytes;
    for (const { held } of this.versions) bytes += VERSION_BYTES + (held === undefined ? 0 : values.size(held));
    return bytes;
  }
}

/** A deletion stands behind the version that ends with it. */
function isBehind(a: Version, b: Version): boolean {
  return a.to === b.to ? a.from > b.from : a.to > b.to;
}
