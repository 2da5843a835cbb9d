import { maskedCrc } from './masked-crc.ts';

const BLOCK_BYTES = 32 * 1024;
/** Checksum, length, type. */
const HEADER_BYTES = 7;

/** Offset of the first record of a LevelDB log that is damaged or cut off; `undefined` when all are whole. */
export function firstDamage(log: Buffer): number | undefined {
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const damage = damageInBlock(log, block, Math.min(block + BLOCK_BYTES, log.length));
    if (damage !== undefined) return damage;
  }
  return undefined;
}

function damageInBlock(log: Buffer, start: number, end: number): number | undefined {
  let at = start;
  while (end - at >= HEADER_BYTES) {
    const length = log.readUInt16LE(at + 4);
    const next = at + HEADER_BYTES + length;
    if (next > end || maskedCrc(log, at + 6, next) !== log.readUInt32LE(at)) return at;
    at = next;
  }
  // A block ends in less than a header of zeros; a file may end anywhere.
  return log.subarray(at, end).every((byte) => byte === 0) ? undefined : at;
}

/**
 * Whether LevelDB can lose batches of this log and still apply later ones: it drops the rest of a block with a damaged
 * record and goes on with the next block, without an error. Damage in the last block of the last log only cuts off the end
 * of history, which is harmless: the offsets inside the batches say from where to go on.
 *
 * Source: LevelDB `doc/log_format.md`, `log_reader.cc`.
 */
export function hasHole(log: Buffer, isLast: boolean): boolean {
  const damage = firstDamage(log);
  if (damage === undefined) return false;
  const lastBlock = Math.floor((log.length - 1) / BLOCK_BYTES) * BLOCK_BYTES;
  return !isLast || damage < lastBlock;
}
