import { corruptCompression } from './codec-errors.ts';

/**
 * The outside of an LZ4 frame: enough to know how large it gets before it is decompressed, because the library that does it
 * takes no bound.
 *
 * Source: the LZ4 frame and block formats, lz4.org.
 */
export interface Lz4Frame {
  /** Bytes of the frame, up to and including end mark and checksum. */
  readonly length: number;
  /** No frame with these blocks decompresses to more. Usually far above the true size of the last block. */
  readonly decompressedBytesBound: number;
  /** Start and end of each block's data, in turn; compressed blocks only. */
  readonly compressedBlocks: readonly number[];
  /** Bytes in blocks that are stored as they are. */
  readonly storedBytes: number;
}

const MAGIC = 0x184d2204;
const STORED_FLAG = 0x8000_0000;
const MATCH_BYTES_MIN = 4;

/** @throws CorruptDataError when the bytes are not one whole frame */
export function readLz4Frame(bytes: Buffer): Lz4Frame {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw corruptCompression('lz4', 'the frame header is missing');
  const flags = bytes[4] as number;
  const blockBytesMax = blockBytesMaxOf(bytes[5] as number);
  const checksumBytes = flags & 0x10 ? 4 : 0;
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  const compressedBlocks: number[] = [];
  let storedBytes = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw corruptCompression('lz4', 'the frame is cut off');
    const size = bytes.readUInt32LE(at);
    at += 4;
    if (size === 0) break;
    const length = size & ~STORED_FLAG;
    if (length > blockBytesMax || at + length + checksumBytes > bytes.length)
      throw corruptCompression('lz4', `a block claims ${length} bytes`);
    if (size >= STORED_FLAG) storedBytes += length;
    else compressedBlocks.push(at, at + length);
    at += length + checksumBytes;
  }
  at += flags & 0x04 ? 4 : 0;
  if (at > bytes.length) throw corruptCompression('lz4', 'the frame is cut off in front of its checksum');
  return {
    length: at,
    decompressedBytesBound: storedBytes + (compressedBlocks.length / 2) * blockBytesMax,
    compressedBlocks,
    storedBytes,
  };
}

/** The exact size of the decompressed frame: the sum over all sequences of literals and matches, without making them. */
export function lz4DecompressedBytes(bytes: Buffer, frame: Lz4Frame): number {
  let total = frame.storedBytes;
  for (let i = 0; i < frame.compressedBlocks.length; i += 2) {
    total += blockDecompressedBytes(bytes, frame.compressedBlocks[i] as number, frame.compressedBlocks[i + 1] as number);
  }
  return total;
}

function blockDecompressedBytes(bytes: Buffer, start: number, end: number): number {
  let total = 0;
  let at = start;
  while (at < end) {
    const token = bytes[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) for (let more = 255; more === 255 && at < end; literals += more) more = bytes[at++] as number;
    total += literals;
    // The last sequence of a block ends with its literals; the others go on with the two bytes of a match offset.
    at += literals + 2;
    if (at > end) break;
    let match = token & 15;
    if (match === 15) for (let more = 255; more === 255 && at < end; match += more) more = bytes[at++] as number;
    total += match + MATCH_BYTES_MIN;
  }
  return total;
}

function blockBytesMaxOf(descriptor: number): number {
  const id = (descriptor >>> 4) & 7;
  if (id < 4) throw corruptCompression('lz4', `block size ${id} is not defined`);
  return 1 << (8 + 2 * id);
}
