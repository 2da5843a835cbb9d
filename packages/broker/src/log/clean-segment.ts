import { RecordBatchHeader, type RecordCursor } from '@millrace/wire';
import { isAborted, type LatestOffsets } from './latest-offsets.ts';
import type { PartitionLog } from './partition-log.ts';
import { eachBatch } from './replay.ts';
import { deleteHorizonOf, emptyBatch, rewriteBatch } from './rewrite-batch.ts';
import type { Segment } from './segment.ts';

/** What becomes of a batch: nothing, less, or something smaller in its place. */
type Outcome = Buffer | 'gone' | 'unchanged';

/** A round of cleaning, over all segments that may be cleaned, oldest first. */
export class CleaningRound {
  readonly #log: PartitionLog;
  readonly #latest: LatestOffsets;
  readonly #nowMs: number;
  /** The last batch before it stays even when it is empty, so that the log does not end in nothing. */
  readonly #endOffset: number;
  /** Producers whose present transaction has had data in this round: its marker is still needed. */
  readonly #withData = new Set<number>();

  constructor(log: PartitionLog, latest: LatestOffsets, endOffset: number, nowMs: number) {
    this.#log = log;
    this.#latest = latest;
    this.#endOffset = endOffset;
    this.#nowMs = nowMs;
  }

  /** Replaces the content of the segment; offsets stay what they are. */
  clean(segment: Segment): void {
    const kept: Buffer[] = [];
    let isChanged = false;
    eachBatch(segment, (records, header) => {
      const batch = records.subarray(header.position, header.position + header.sizeInBytes);
      const outcome = this.#cleanBatch(records, batch, header);
      if (outcome !== 'unchanged') isChanged = true;
      if (outcome !== 'gone') kept.push(outcome === 'unchanged' ? batch : outcome);
    });
    if (!isChanged) return;
    segment.bytes.replace(Buffer.concat(kept));
    reindex(segment, this.#log.settings.indexIntervalBytes);
  }

  #cleanBatch(records: Buffer, batch: Buffer, header: RecordBatchHeader): Outcome {
    const isUnneeded = header.isControl ? !this.#withData.delete(header.producerId) : isAborted(this.#log, header);
    if (!header.isControl && header.isTransactional) this.#withData.add(header.producerId);
    const horizon = deleteHorizonOf(header);
    const dropsAll = isUnneeded && (!header.isControl || (horizon !== undefined && horizon <= this.#nowMs));
    if (dropsAll) return this.#withoutRecords(batch, header);
    return header.isControl ? this.#cleanMarker(records, header, isUnneeded) : this.#cleanData(records, batch, header);
  }

  /** A marker whose transaction has no data left goes some time later, so that slow readers still see it. */
  #cleanMarker(records: Buffer, header: RecordBatchHeader, isUnneeded: boolean): Outcome {
    const isDecided = !isUnneeded || header.recordCount === 0 || deleteHorizonOf(header) !== undefined;
    return isDecided ? 'unchanged' : rewriteBatch(detached(records, header), atStart(header), this.#horizon(), () => true);
  }

  #cleanData(records: Buffer, batch: Buffer, header: RecordBatchHeader): Outcome {
    const horizon = deleteHorizonOf(header);
    const dropsTombstones = horizon !== undefined && horizon <= this.#nowMs;
    const own = detached(records, header);
    let kept = 0;
    let tombstones = 0;
    const keep = (cursor: RecordCursor): boolean => {
      const isTombstone = cursor.valueStart < 0;
      const keeps = cursor.keyStart >= 0 && !this.#latest.isSuperseded(cursor) && !(isTombstone && dropsTombstones);
      if (keeps) kept++;
      if (keeps && isTombstone) tombstones++;
      return keeps;
    };
    const rewritten = rewriteBatch(own, atStart(header), undefined, keep);
    if (kept === 0) return header.recordCount === 0 && this.#mustStay(header) ? 'unchanged' : this.#withoutRecords(batch, header);
    if (tombstones > 0 && horizon === undefined) return rewriteBatch(own, atStart(header), this.#horizon(), keep);
    return kept === header.recordCount ? 'unchanged' : rewritten;
  }

  #withoutRecords(batch: Buffer, header: RecordBatchHeader): Outcome {
    if (!this.#mustStay(header)) return 'gone';
    return header.recordCount === 0 ? 'unchanged' : emptyBatch(batch);
  }

  /** The last batch of a producer carries its sequence and epoch over a restart; the last of the round, the end of the log. */
  #mustStay(header: RecordBatchHeader): boolean {
    if (header.lastOffset === this.#endOffset - 1) return true;
    const producer = header.producerId < 0 ? undefined : this.#log.producers.get(header.producerId);
    if (producer === undefined) return false;
    if (producer.lastDataOffset < 0) return header.isControl && header.producerEpoch === producer.epoch;
    return header.lastOffset === producer.lastDataOffset;
  }

  #horizon(): number {
    return this.#nowMs + this.#log.settings.deleteRetentionMs;
  }
}

/** A copy of the batch alone: what becomes of it must not share memory with what is replaced. */
function detached(records: Buffer, header: RecordBatchHeader): Buffer {
  return Buffer.from(records.subarray(header.position, header.position + header.sizeInBytes));
}

/** The header as seen in a buffer that begins with the batch. */
function atStart(header: RecordBatchHeader): RecordBatchHeader {
  const moved = Object.assign(new RecordBatchHeader(), header);
  moved.position = 0;
  return moved;
}

function reindex(segment: Segment, indexIntervalBytes: number): void {
  segment.clearIndex();
  eachBatch(segment, (_records, header, position) => segment.index(header, position, indexIntervalBytes));
}
