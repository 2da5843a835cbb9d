import type { KeyIdentity } from '../../overlay/key-codec.ts';
import type { BufferedRecord } from './buffered-record.ts';

/** One place in a buffer: what waits there now, and what the database knows of it. */
export class BufferRow {
  readonly identity: KeyIdentity;
  /** The bytes of the key as latin-1 text, which sorts as they do. */
  readonly keyText: string;
  /** Distinguishes records of one key and time; 0 where there is one row per key. */
  readonly sequence: number;
  /** When it is to leave. */
  time: number;
  isWaiting = false;
  /** `undefined` when nothing waits, or when it has to be read from the database. */
  record: BufferedRecord | undefined = undefined;
  /** Roughly the bytes of the record, in memory or not. */
  bytes = 0;
  isDirty = false;
  isCommitting = false;
  /** What the batch of the running commit says. */
  preparedTime = -1;
  isPrepared = false;
  /** What the database says. */
  savedTime = -1;
  isSaved = false;

  constructor(identity: KeyIdentity, keyText: string, sequence: number, time: number) {
    this.identity = identity;
    this.keyText = keyText;
    this.sequence = sequence;
    this.time = time;
  }
}

/** Whether one row leaves before another. */
export function leavesBefore(a: BufferRow, b: BufferRow): boolean {
  if (a.time !== b.time) return a.time < b.time;
  if (a.keyText !== b.keyText) return a.keyText < b.keyText;
  return a.sequence < b.sequence;
}
