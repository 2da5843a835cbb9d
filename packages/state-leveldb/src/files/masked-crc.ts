import { crc32c } from '@millrace/wire';

/** Added by LevelDB to the rotated checksum, so that data with embedded checksums does not have degenerate ones. */
const MASK_DELTA = 0xa282_ead8;

/** The checksum of `bytes[start, end)` as LevelDB stores it. */
export function maskedCrc(bytes: Buffer, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
