import { CorruptDataError } from '@millrace/core';
import { checkBatchCrc, readBatchHeader, RecordBatchHeader } from '@millrace/wire';
import type { SegmentBytes } from '../log/segment-bytes.ts';

const READ_BYTES = 4 * 1024 * 1024;

/**
 * How many bytes of a segment are whole, undamaged batches with rising offsets. What follows them is what a write that was
 * interrupted has left, or damage.
 */
export function soundBytes(bytes: SegmentBytes, baseOffset: number): number {
  const header = new RecordBatchHeader();
  let position = 0;
  let nextOffset = baseOffset;
  let bytesAtOnce = READ_BYTES;
  while (position < bytes.sizeInBytes) {
    const chunk = bytes.read(position, Math.min(bytesAtOnce, bytes.sizeInBytes - position));
    let within = 0;
    while (isSound(chunk, within, header) && header.baseOffset >= nextOffset) {
      within += header.sizeInBytes;
      nextOffset = header.lastOffset + 1;
    }
    position += within;
    const isCut = within === 0 && bytesAtOnce < bytes.sizeInBytes - position && needsMore(chunk);
    if (within === 0 && !isCut) return position;
    bytesAtOnce = isCut ? bytesAtOnce * 2 : READ_BYTES;
  }
  return position;
}

function isSound(chunk: Buffer, position: number, header: RecordBatchHeader): boolean {
  try {
    if (!readBatchHeader(chunk, position, header)) return false;
    checkBatchCrc(chunk, header);
    return true;
  } catch (error) {
    if (error instanceof CorruptDataError) return false;
    throw error;
  }
}

/** Whether the batch in front is merely larger than what was read. */
function needsMore(chunk: Buffer): boolean {
  const LENGTH_AT = 8;
  const OVERHEAD = 12;
  return chunk.length >= OVERHEAD && chunk.readInt32BE(LENGTH_AT) + OVERHEAD > chunk.length;
}
