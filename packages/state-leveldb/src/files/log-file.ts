import { maskedCrc } from './masked-crc.ts';

const BLOCK_BYTES = 32 * 1024;
/** Checksum, length, type. */
const HEADER_BYTES = 7;

const FULL = 1;
const FIRST = 2;

/** A part of a record inside one block of a log. */
interface Fragment {
  readonly type: number;
  readonly payload: Buffer;
}

/** What a LevelDB log holds up to the first damage. */
interface LogContent {
  readonly fragments: readonly Fragment[];
  /** Offset of the first fragment that is damaged or cut off; `undefined` when all are whole. */
  readonly damage: number | undefined;
}

function readLog(log: Buffer): LogContent {
  const fragments: Fragment[] = [];
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const damage = readBlock(log, block, Math.min(block + BLOCK_BYTES, log.length), fragments);
    if (damage !== undefined) return { fragments, damage };
  }
  return { fragments, damage: undefined };
}

function readBlock(log: Buffer, start: number, end: number, into: Fragment[]): number | undefined {
  let at = start;
  while (end - at >= HEADER_BYTES) {
    const next = at + HEADER_BYTES + log.readUInt16LE(at + 4);
    if (next > end || maskedCrc(log, at + 6, next) !== log.readUInt32LE(at)) return at;
    into.push({ type: log.readUInt8(at + 6), payload: log.subarray(at + HEADER_BYTES, next) });
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
  const { damage } = readLog(log);
  if (damage === undefined) return false;
  const lastBlock = Math.floor((log.length - 1) / BLOCK_BYTES) * BLOCK_BYTES;
  return !isLast || damage < lastBlock;
}

/** The records of a log, up to the first damage. */
export function recordsIn(log: Buffer): readonly Buffer[] {
  const records: Buffer[][] = [];
  for (const { type, payload } of readLog(log).fragments) {
    if (type === FULL || type === FIRST) records.push([payload]);
    else records.at(-1)?.push(payload);
  }
  return records.map((parts) => Buffer.concat(parts));
}
