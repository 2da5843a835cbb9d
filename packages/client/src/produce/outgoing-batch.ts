import { assert } from '@millrace/core';
import type { Compression, RecordBatchBuilder } from '@millrace/wire';
import type { FlushBarrier } from './flush-barrier.ts';
import { NO_IDENTITY, type ProducerIdentity } from './producer-identity.ts';

/** How the batches of a producer are finished. */
export interface BatchFormat {
  readonly compression: Compression;
  readonly transactional: boolean;
}

/**
 * A record batch on its way: filled, stamped with identity and sequence at its first sending, then sent with the same bytes
 * until it is acknowledged or given up.
 */
export class OutgoingBatch {
  /** Order within the partition. */
  readonly ordinal: number;
  /** Room for the ordinals of its parts, should it be split. */
  readonly ordinalSpan: number;
  /** True once it is acknowledged, given up or dropped: its builder belongs to the pool again. */
  isReleased = false;
  /** True once no more records come. */
  isComplete = false;
  /** On the monotonic clock: when the first record was appended, or its turn came after it had been put aside. */
  waitsSinceMs: number;
  /** True once an attempt may have been executed although its answer is missing. */
  outcomeUnknown = false;
  /** Attempts so far. */
  attempts = 0;
  /** Undefined while the batch is put aside. */
  #builder: RecordBatchBuilder | undefined;
  /** Of the builder while the batch is put aside. */
  #asideCount = 0;
  #asideBytes = 0;
  #spillPosition = -1;
  #identity: ProducerIdentity | undefined;
  #baseSequence = -1;
  #bytes: Buffer | undefined;
  #barriers: FlushBarrier[] | undefined;

  constructor(builder: RecordBatchBuilder, openedAtMs: number, ordinal: number, ordinalSpan = 1) {
    this.#builder = builder;
    this.ordinal = ordinal;
    this.ordinalSpan = ordinalSpan;
    this.waitsSinceMs = openedAtMs;
  }

  /** Of a batch that is not put aside. */
  get builder(): RecordBatchBuilder {
    assert(this.#builder !== undefined, 'a batch was used while it was put aside');
    return this.#builder;
  }

  /** Records in the batch. */
  get count(): number {
    return this.#builder?.count ?? this.#asideCount;
  }

  /** True while its records are not in memory. */
  get isAside(): boolean {
    return this.#builder === undefined;
  }

  /** Where it stands while it is put aside. */
  get spillPosition(): number {
    return this.#spillPosition;
  }

  /** Its records are at that position now, and no longer in memory. @returns what held them */
  putAside(position: number): RecordBatchBuilder {
    const { builder } = this;
    this.#asideCount = builder.count;
    this.#asideBytes = builder.sizeInBytes;
    this.#spillPosition = position;
    this.#builder = undefined;
    return builder;
  }

  /** Its records are in memory again. */
  bringBack(builder: RecordBatchBuilder): void {
    this.#builder = builder;
  }

  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /** −1 until it is stamped, and for batches without identity. */
  get baseSequence(): number {
    return this.#baseSequence;
  }

  /** Bytes of its records before compression: what counts against the producer's buffer. */
  get bufferedBytes(): number {
    return this.#builder?.sizeInBytes ?? this.#asideBytes;
  }

  /** Gives it its place in the sequence. A batch that was sent keeps it, unless {@link unstamp} was called. */
  stamp(identity: ProducerIdentity, baseSequence: number): void {
    assert(this.#identity === undefined, 'a batch was given a second sequence number');
    this.#identity = identity;
    this.#baseSequence = identity === NO_IDENTITY ? -1 : baseSequence;
  }

  /** Takes its place away: it will be sent under another identity. */
  unstamp(): void {
    this.#identity = undefined;
    this.#baseSequence = -1;
    this.#bytes = undefined;
  }

  /** The bytes to send; the same ones at every attempt. */
  bytes(format: BatchFormat): Buffer {
    assert(this.#identity !== undefined, 'a batch was sent without an identity');
    this.#bytes ??= this.builder.finish({
      producerId: this.#identity.producerId,
      producerEpoch: this.#identity.producerEpoch,
      baseSequence: this.#baseSequence,
      transactional: format.transactional,
      compression: format.compression,
    });
    return this.#bytes;
  }

  /** The barrier waits for this batch. */
  heldBy(barrier: FlushBarrier): void {
    barrier.add();
    if (this.#barriers === undefined) this.#barriers = [barrier];
    else this.#barriers.push(barrier);
  }

  /** The parts of a split batch are waited for in its place. */
  handBarriersTo(parts: readonly OutgoingBatch[]): void {
    const barriers = this.#barriers;
    if (barriers === undefined) return;
    for (const part of parts) for (const barrier of barriers) part.heldBy(barrier);
    this.settle();
  }

  /** It is acknowledged, refused or dropped. */
  settle(): void {
    const barriers = this.#barriers;
    this.#barriers = undefined;
    if (barriers !== undefined) for (const barrier of barriers) barrier.settle();
  }
}
