import { corruptCompression } from './codec-errors.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_BYTES_MAX = 128 * 1024;

/** A Zstandard frame inside of some bytes. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** The frame decompresses to no more than that. */
  readonly decompressedBytesBound: number;
}

/**
 * Finds the frames in `bytes` by walking over their block headers, skippable ones left out. Kafka's frames carry no content
 * size, so that a bound for each has to be found this way.
 *
 * Source: RFC 8878, §3.1.
 * @throws CorruptDataError when the bytes are not whole frames
 */
export function readZstdFrames(bytes: Buffer): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw cutOff();
    const magic = bytes.readUInt32LE(at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + bytes.readUInt32LE(at + 4);
    } else if (magic === MAGIC) {
      const frame = readFrame(bytes, at);
      frames.push(frame);
      at = frame.end;
    } else throw corruptCompression('zstd', `no frame starts at byte ${at}`);
    if (at > bytes.length) throw cutOff();
  }
  if (frames.length === 0) throw cutOff();
  return frames;
}

function readFrame(bytes: Buffer, start: number): ZstdFrame {
  const descriptor = bytes[start + 4] as number;
  const blocks = walkBlocks(bytes, start + 5 + frameHeaderRest(descriptor));
  const checksumBytes = descriptor & 0x04 ? 4 : 0;
  return { start, end: blocks.end + checksumBytes, decompressedBytesBound: blocks.bound };
}

/** Bytes of the frame header behind its descriptor: window, dictionary id and content size. */
function frameHeaderRest(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = singleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0x03] as number;
  const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  return windowBytes + dictionaryBytes + contentSizeBytes;
}

function walkBlocks(bytes: Buffer, start: number): { bound: number; end: number } {
  let bound = 0;
  let at = start;
  for (;;) {
    if (at + 3 > bytes.length) throw cutOff();
    const header = bytes.readUIntLE(at, 3);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === 3 || size > BLOCK_BYTES_MAX) throw corruptCompression('zstd', `the block at byte ${at} is not valid`);
    // Raw blocks (0) hold what they yield, run-length blocks (1) one byte that is repeated, compressed ones (2) up to the maximum.
    bound += type === 2 ? BLOCK_BYTES_MAX : size;
    at += 3 + (type === 1 ? 1 : size);
    if (at > bytes.length) throw cutOff();
    if (header & 1) return { bound, end: at };
  }
}

function cutOff(): Error {
  return corruptCompression('zstd', 'a frame is cut off');
}
