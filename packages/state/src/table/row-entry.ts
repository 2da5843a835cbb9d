import type { Row } from '../contracts/stores.ts';
import { Entry } from '../overlay/entry.ts';
import type { HeldUpdate, Holdable } from '../overlay/held-updates.ts';
import type { HeldValue } from '../overlay/value-codec.ts';

/** A row with one value. */
export class RowEntry extends Entry implements Row, Holdable {
  /** Timestamp of the value; −1 when absent. Stores without timestamps say 0 for what they have read from the database. */
  timestamp = -1;
  held: HeldValue | undefined = undefined;
  /** Timestamp of the changelog record: that of the last write, deletes included. */
  writtenAt = -1;
  /** Whether the last commit left a value in the database. */
  persisted = false;
  update: HeldUpdate | undefined = undefined;
}
