import { Entry } from '../../overlay/entry.ts';
import type { HeldValue } from '../../overlay/value-codec.ts';

/**
 * The empty list that everything without values shares. Most records wait alone and briefly: an array of its own for each list
 * of one, with V8's room for sixteen more, would be most of the store's memory.
 */
export const NONE: never[] = Object.freeze([]) as unknown as never[];

/** The records of one key, side and time that wait for a partner. One without values is gone, until that is committed. */
export class Pending {
  readonly list: PendingList;
  readonly timestamp: number;
  readonly isLeft: boolean;
  values: HeldValue[] = NONE;
  /** Timestamp of the record that changed it last: that of the changelog record. */
  writtenAt = -1;
  /** Whether the changelog has a value for it after the last commit. */
  persisted = false;
  /** Whether it is among the changes of its list. */
  changed = false;
  /** Whether it stands in the sorted items of its bucket. */
  isSorted = false;
  /** Where its values stand in the batch that is being prepared. */
  valueStart = -1;
  valueEnd = -1;

  constructor(list: PendingList, timestamp: number, isLeft: boolean) {
    this.list = list;
    this.timestamp = timestamp;
    this.isLeft = isLeft;
  }

  get isAlive(): boolean {
    return this.values.length > 0;
  }

  addValue(value: HeldValue): void {
    if (this.values === NONE) this.values = [value];
    else this.values.push(value);
  }
}

/** What waits of one key in one time bucket: one row of the database. */
export class PendingList extends Entry {
  items: Pending[] = NONE;
  /** Items that the next commit has to log. */
  changes: Pending[] = NONE;
  /** Whether the database has a row for the list. */
  persisted = false;
  /** The index of the bucket to which the key has been added. */
  indexedIn: object | undefined = undefined;
  /** The bytes of the key as latin-1 text, for sorting; made when first asked for. */
  keyText: string | undefined = undefined;

  get(timestamp: number, isLeft: boolean): Pending | undefined {
    for (const item of this.items) if (item.timestamp === timestamp && item.isLeft === isLeft) return item;
    return undefined;
  }

  add(timestamp: number, isLeft: boolean): Pending {
    const item = new Pending(this, timestamp, isLeft);
    if (this.items === NONE) this.items = [item];
    else this.items.push(item);
    return item;
  }

  addChange(item: Pending): void {
    if (this.changes === NONE) this.changes = [item];
    else this.changes.push(item);
  }

  /** Forgets the items that are not pending any more. */
  dropGone(): void {
    const alive = this.items.filter((item) => item.isAlive);
    this.items = alive.length === 0 ? NONE : alive;
  }
}
