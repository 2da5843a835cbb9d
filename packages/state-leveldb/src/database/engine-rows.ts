import { ENGINE_ROW } from './row-codec.ts';

/** How many of the latest commits are marked. */
export const MARKER_SLOTS = 1024;

const GENERATION = 1;
const MARKER = 2;

/** Where the database keeps which generation of the directory it belongs to. */
export const GENERATION_KEY = Buffer.from([ENGINE_ROW, GENERATION]);

const MARKER_KEYS = Array.from({ length: MARKER_SLOTS }, (_, slot) => Buffer.from([ENGINE_ROW, MARKER, slot >>> 8, slot & 0xff]));

/** The row that the n-th write since the database was made leaves behind: the last few are always there. */
export function markerKey(number: number): Buffer {
  return MARKER_KEYS[number % MARKER_SLOTS] as Buffer;
}

export function markerValue(number: number): Buffer {
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(BigInt(number));
  return value;
}

/**
 * The number of the last write; `undefined` when a write before it is missing.
 *
 * Why: LevelDB drops a damaged block of its log without an error and applies the ones behind it, which would leave a hole in
 * the history with a newer offset on top.
 */
export function lastWrite(read: (key: Buffer) => Uint8Array | undefined): number | undefined {
  const found = MARKER_KEYS.map((key) => {
    const value = read(key);
    return value === undefined || value.length !== 8 ? 0 : Number(Buffer.from(value).readBigUInt64BE(0));
  });
  const last = Math.max(...found);
  for (let number = last; number > Math.max(0, last - MARKER_SLOTS); number--) {
    if (found[number % MARKER_SLOTS] !== number) return undefined;
  }
  return last;
}
