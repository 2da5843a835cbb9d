import { assert, FatalStreamsError } from '@millrace/core';
import type { RecordBatchBuilder } from '@millrace/wire';
import type { BatchSpill } from '../port/batch-spill.ts';
import type { OutgoingBatch } from './outgoing-batch.ts';
import type { PartitionQueue } from './partition-queue.ts';

/**
 * Keeps what waits in memory within bounds: complete batches that are too many are put aside, and come back when it is their
 * turn. Nothing can be sent while a record is processed, so this is what a record with a huge number of outputs does.
 *
 * The oldest batches stay in memory: they go first, and make room for those that come back.
 */
export class BatchOverflow {
  readonly #spill: BatchSpill | undefined;
  readonly #inMemoryBytesMax: number;
  #inMemoryBytes = 0;
  #asideBytes = 0;
  #asideBatches = 0;

  /** @param inMemoryBytesMax complete batches that may be in memory */
  constructor(spill: BatchSpill | undefined, inMemoryBytesMax: number) {
    this.#spill = spill;
    this.#inMemoryBytesMax = inMemoryBytesMax;
  }

  /** Bytes of all complete batches, in memory or not. */
  get completeBytes(): number {
    return this.#inMemoryBytes + this.#asideBytes;
  }

  /** True while something is put aside. */
  get isInUse(): boolean {
    return this.#asideBatches > 0;
  }

  /**
   * The batch is complete.
   *
   * @returns its builder, when it has been put aside
   * @throws FatalStreamsError `OUTPUT_SPILL_FAILED`; the batch stays in memory
   */
  onComplete(batch: OutgoingBatch, queue: PartitionQueue): RecordBatchBuilder | undefined {
    batch.isComplete = true;
    this.#inMemoryBytes += batch.bufferedBytes;
    if (this.#spill === undefined || this.#inMemoryBytes <= this.#inMemoryBytesMax) return undefined;
    let position: number;
    try {
      position = this.#spill.write(batch.builder.finish());
    } catch (cause) {
      throw spillFailed('written', 'free space there, or give it more memory (outputBufferMaxBytes)', queue, cause);
    }
    this.#inMemoryBytes -= batch.bufferedBytes;
    this.#asideBytes += batch.bufferedBytes;
    this.#asideBatches++;
    return batch.putAside(position);
  }

  /** A part of a complete batch has taken its place. */
  onPart(part: OutgoingBatch): void {
    part.isComplete = true;
    this.#inMemoryBytes += part.bufferedBytes;
  }

  /**
   * It is the turn of a batch that was put aside.
   *
   * @throws FatalStreamsError `OUTPUT_SPILL_FAILED`
   */
  bringBack(batch: OutgoingBatch, queue: PartitionQueue, builder: RecordBatchBuilder): void {
    const bytes = batch.bufferedBytes;
    try {
      assert(this.#spill !== undefined, 'a batch was put aside without a place for it');
      builder.load(this.#spill.read(batch.spillPosition, bytes));
    } catch (cause) {
      throw spillFailed('read back', 'check the disk', queue, cause);
    }
    batch.bringBack(builder);
    this.#inMemoryBytes += bytes;
    this.#forget(bytes);
  }

  /** The batch is no longer needed. */
  release(batch: OutgoingBatch): void {
    if (batch.isAside) this.#forget(batch.bufferedBytes);
    else if (batch.isComplete) this.#inMemoryBytes -= batch.bufferedBytes;
  }

  close(): void {
    this.#spill?.close();
  }

  #forget(bytes: number): void {
    this.#asideBytes -= bytes;
    if (--this.#asideBatches === 0) this.#spill?.clear();
  }
}

function spillFailed(what: string, wayOut: string, { topic, partition }: PartitionQueue, cause: unknown): FatalStreamsError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FatalStreamsError(
    'OUTPUT_SPILL_FAILED',
    `outputs that memory has no room for could not be ${what}: ${reason}; ${wayOut}. Nothing of them is committed`,
    { topic, partition, cause },
  );
}
