import { CorruptDataError, type StreamsError } from '@millrace/core';
import { CommittedBatches, decompress, RecordBatchHeader, type AbortedTransaction, type IsolationLevel } from '@millrace/wire';
import type { FetchedBatch } from '../port/kafka-client.ts';

/** Where the records of a batch start behind its own start. */
const HEADER_BYTES = 61;
const COMPRESSION_MASK = 0x07;

/** The record set of one partition in a Fetch response. */
export interface RawRecords {
  readonly records: Buffer;
  readonly fetchOffset: number;
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined;
}

export interface DecodedRecords {
  readonly batches: FetchedBatch[];
  /** Where to fetch from next. */
  readonly nextOffset: number;
  readonly hasGaps: boolean;
  /** Bytes that the batches keep in memory. */
  readonly byteLength: number;
  /** Why the batch at `nextOffset` cannot be read; the batches before it are good. */
  readonly error: StreamsError | undefined;
}

/**
 * Turns record sets into batches that may be read: complete, checksum verified, not aborted, uncompressed.
 *
 * A batch can be walked over with a `RecordCursor`: `cursor.open(batch.buffer, batch.header, fetchOffset)`.
 */
export class BatchDecoder {
  readonly #committed = new CommittedBatches();
  readonly #isolationLevel: IsolationLevel;
  readonly #decompressedBytesMax: number;

  constructor(isolationLevel: IsolationLevel, decompressedBytesMax: number) {
    this.#isolationLevel = isolationLevel;
    this.#decompressedBytesMax = decompressedBytesMax;
  }

  /** @throws FatalStreamsError when a codec is missing */
  decode(raw: RawRecords): DecodedRecords {
    const walk = this.#committed;
    const batches: FetchedBatch[] = [];
    let nextOffset = raw.fetchOffset;
    let byteLength = 0;
    let error: StreamsError | undefined;
    walk.open({ ...raw, isolationLevel: this.#isolationLevel });
    try {
      while (walk.next()) {
        const batch = this.#plain(raw.records, walk.header);
        batches.push(batch);
        byteLength += batch.recordsEnd - batch.recordsStart + HEADER_BYTES;
        nextOffset = walk.nextPosition;
      }
      nextOffset = walk.nextPosition;
    } catch (thrown) {
      if (!(thrown instanceof CorruptDataError)) throw thrown;
      error = thrown;
      // Batches without visible records in front of the bad one are passed, unless it is the visible one that failed.
      nextOffset = Math.max(nextOffset, Math.min(walk.nextPosition, walk.header.baseOffset));
    }
    return { batches, nextOffset, hasGaps: walk.hasGaps, byteLength, error };
  }

  /** The header is a copy whose position and size describe the uncompressed batch. */
  #plain(records: Buffer, from: RecordBatchHeader): FetchedBatch {
    const header = Object.assign(new RecordBatchHeader(), from);
    const start = header.position + HEADER_BYTES;
    const end = header.position + header.sizeInBytes;
    if (header.compressionId === 0) return { buffer: records, recordsStart: start, recordsEnd: end, header };
    const plain = decompress(header.compressionId, records.subarray(start, end), this.#decompressedBytesMax);
    header.attributes &= ~COMPRESSION_MASK;
    header.position = -HEADER_BYTES;
    header.sizeInBytes = plain.length + HEADER_BYTES;
    return { buffer: plain, recordsStart: 0, recordsEnd: plain.length, header };
  }
}
