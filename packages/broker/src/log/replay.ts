import { readBatchHeader, readControlMarker, RecordBatchHeader } from '@millrace/wire';
import type { ProducerStates } from '../producers/producer-states.ts';
import type { AbortedIndex } from './aborted-index.ts';
import type { SegmentList } from './segment-list.ts';
import type { Segment } from './segment.ts';

/** How much of a segment is read at once. */
const READ_BYTES = 4 * 1024 * 1024;

/**
 * Rebuilds from the bytes of a log what is kept in memory: the index of batches, the producers, the aborted transactions.
 * The bytes were checked before; they are whole batches.
 *
 * @returns the log end offset, 0 for an empty log
 */
export function replaySegments(
  segments: SegmentList,
  producers: ProducerStates,
  aborted: AbortedIndex,
  indexIntervalBytes: number,
): number {
  let logEndOffset = 0;
  for (const segment of segments.all) {
    logEndOffset = Math.max(logEndOffset, segment.baseOffset);
    eachBatch(segment, (records, header, position) => {
      segment.index(header, position, indexIntervalBytes);
      logEndOffset = header.lastOffset + 1;
      if (header.producerId < 0) return;
      if (header.isControl) replayMarker(records, header, producers, aborted);
      else producers.appended(header);
    });
  }
  return logEndOffset;
}

function replayMarker(records: Buffer, header: RecordBatchHeader, producers: ProducerStates, aborted: AbortedIndex): void {
  const marker = readControlMarker(records, header);
  const firstOffset = producers.ended(header.producerId, header.producerEpoch, header.maxTimestamp);
  if (marker === 'abort' && firstOffset !== undefined) aborted.add(header.producerId, firstOffset, header.lastOffset);
}

/** Calls back for each batch of a segment, with the bytes that its header refers to and its position in the segment. */
export function eachBatch(segment: Segment, visit: (records: Buffer, header: RecordBatchHeader, position: number) => void): void {
  const header = new RecordBatchHeader();
  let position = 0;
  let bytesAtOnce = READ_BYTES;
  while (position < segment.sizeInBytes) {
    const records = segment.bytes.read(position, Math.min(bytesAtOnce, segment.sizeInBytes - position));
    let within = 0;
    while (readBatchHeader(records, within, header)) {
      visit(records, header, position + within);
      within += header.sizeInBytes;
    }
    // Not even one batch: it is larger than what was read.
    bytesAtOnce = within === 0 ? bytesAtOnce * 2 : READ_BYTES;
    if (within === 0 && records.length === segment.sizeInBytes - position) return;
    position += within;
  }
}
