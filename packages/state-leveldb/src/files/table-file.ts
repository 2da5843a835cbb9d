import { maskedCrc } from './masked-crc.ts';
import { VarintReader } from './varint-reader.ts';

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
/** After each block: compression type and checksum. */
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

/** Where a block stands in its file. */
interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Whether a LevelDB table file is whole: every block matches the checksum that LevelDB wrote with it.
 *
 * Why: LevelDB checks them only with options that classic-level does not expose; a flipped bit in a key hides its row.
 *
 * Source: LevelDB `doc/table_format.md`.
 */
export function isTableIntact(file: Buffer): boolean {
  try {
    const footer = file.length - FOOTER_BYTES;
    if (footer < 0 || !file.subarray(file.length - MAGIC.length).equals(MAGIC)) return false;
    const reader = new VarintReader(file, footer);
    const metaIndex = readHandle(reader);
    const index = readHandle(reader);
    return [metaIndex, index].every(
      (block) => isBlockIntact(file, block) && handlesIn(file, block).every((one) => isBlockIntact(file, one)),
    );
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function isBlockIntact(file: Buffer, { offset, size }: BlockHandle): boolean {
  const end = offset + size;
  if (end + TRAILER_BYTES > file.length) return false;
  return maskedCrc(file, offset, end + 1) === file.readUInt32LE(end + 1);
}

/** The blocks to which the entries of an index block point. */
function handlesIn(file: Buffer, { offset, size }: BlockHandle): readonly BlockHandle[] {
  // The engine writes no compressed blocks; such a one is damaged.
  if (file[offset + size] !== UNCOMPRESSED) throw new RangeError('compressed index block');
  const restarts = file.readUInt32LE(offset + size - 4);
  const end = offset + size - 4 - restarts * 4;
  const reader = new VarintReader(file, offset);
  const handles: BlockHandle[] = [];
  while (reader.at < end) {
    reader.varint();
    const keyBytes = reader.varint();
    const valueBytes = reader.varint();
    reader.at += keyBytes;
    const valueEnd = reader.at + valueBytes;
    handles.push(readHandle(reader));
    reader.at = valueEnd;
  }
  return handles;
}

function readHandle(reader: VarintReader): BlockHandle {
  return { offset: reader.varint(), size: reader.varint() };
}
