import { assert } from '@millrace/core';
import type { OutgoingBatch } from './outgoing-batch.ts';
import { NO_IDENTITY, sequenceAfter, type ProducerIdentity } from './producer-identity.ts';

/**
 * The batches of one partition, in order: in flight, then waiting, then the one being filled.
 *
 * Order is kept through failures: a batch that has to be sent again goes back to its place, and nothing is sent before all
 * that is in flight has been answered. Each partition has an identity of its own, so starting over with a new one (after
 * the broker lost track of the sequence) touches no other partition.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** The batch being filled. */
  open: OutgoingBatch | undefined;
  /** The offset after the last acknowledged record; −1 before the first. */
  endOffset = -1;
  /** On the monotonic clock: not to be sent before, after a failure. */
  retryAtMs = 0;
  /** Failures in a row. */
  failures = 0;
  /** Set by a transaction of version 1: the coordinator knows that the partition belongs to the open transaction. */
  isInTransaction = false;
  readonly #waiting: OutgoingBatch[] = [];
  readonly #inFlight: OutgoingBatch[] = [];
  #identity: ProducerIdentity | undefined;
  #abandoned: ProducerIdentity | undefined;
  #nextSequence = 0;
  /** The producer id of the last acknowledged batch. */
  #knownProducerId: ProducerIdentity['producerId'] | undefined;
  #draining = false;
  #resetting = false;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /** The identity under which the sequence was lost: not to be used for this partition again. */
  get abandonedIdentity(): ProducerIdentity | undefined {
    return this.#abandoned;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get inFlightCount(): number {
    return this.#inFlight.length;
  }

  /**
   * True when the broker has taken a batch under the identity in use. Before that it takes whatever sequence number comes first:
   * were the first batch delayed, one behind it would be accepted before it.
   */
  get isEstablished(): boolean {
    return this.#identity !== undefined && this.#knownProducerId === this.#identity.producerId;
  }

  /** The oldest batch that waits. */
  get head(): OutgoingBatch | undefined {
    return this.#waiting[0];
  }

  /** True when the head must wait for answers first. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** The batch being filled is complete. @returns it */
  close(): OutgoingBatch | undefined {
    const { open } = this;
    if (open === undefined) return undefined;
    this.#waiting.push(open);
    this.open = undefined;
    return open;
  }

  /** Takes the head to send it, and gives it its sequence number if it has none yet. */
  send(identity: ProducerIdentity): OutgoingBatch {
    const batch = this.#waiting.shift();
    assert(batch !== undefined && !this.#draining, 'a batch was sent that is not there or has to wait');
    if (batch.identity === undefined) this.#stamp(batch, identity);
    batch.attempts++;
    this.#inFlight.push(batch);
    return batch;
  }

  #stamp(batch: OutgoingBatch, identity: ProducerIdentity): void {
    if (this.#identity !== identity) {
      this.#identity = identity;
      this.#nextSequence = 0;
    }
    batch.stamp(identity, this.#nextSequence);
    if (identity !== NO_IDENTITY) this.#nextSequence = sequenceAfter(this.#nextSequence, batch.builder.count);
  }

  /** True when no batch before this one is unacknowledged. */
  isOldest(batch: OutgoingBatch): boolean {
    const isLater = (other: OutgoingBatch): boolean => other.ordinal >= batch.ordinal;
    return this.#inFlight.every(isLater) && this.#waiting.every((other) => other.identity === undefined || isLater(other));
  }

  /** The batch was acknowledged; `endOffset` −1 when the broker does not say where it stands. */
  acknowledge(batch: OutgoingBatch, endOffset: number): void {
    this.#answered(batch);
    if (endOffset > this.endOffset) this.endOffset = endOffset;
    this.#knownProducerId = batch.identity?.producerId;
    this.failures = 0;
    this.#settleDraining();
  }

  /** The batch has to be sent again, in its place. */
  putBack(batch: OutgoingBatch, ...parts: OutgoingBatch[]): void {
    this.#answered(batch);
    let place = 0;
    while (place < this.#waiting.length && (this.#waiting[place] as OutgoingBatch).ordinal < batch.ordinal) place++;
    this.#waiting.splice(place, 0, ...(parts.length === 0 ? [batch] : parts));
    this.#draining = true;
    this.#settleDraining();
  }

  /** The batch is given up; with an identity, that leaves a gap in the sequence, so that the rest needs a new one. */
  giveUp(batch: OutgoingBatch): void {
    if (this.#inFlight.includes(batch)) this.#answered(batch);
    else this.#waiting.splice(this.#waiting.indexOf(batch), 1);
    if (batch.identity !== undefined && batch.identity !== NO_IDENTITY) this.startOver();
    this.#settleDraining();
  }

  /** Everything unacknowledged gets a new identity, as soon as what is in flight has been answered. */
  startOver(): void {
    this.#resetting = true;
    this.#draining = true;
    this.#settleDraining();
  }

  /** Drops what is not in flight; returns it. */
  dropWaiting(): OutgoingBatch[] {
    this.close();
    return this.#waiting.splice(0);
  }

  /** All its batches, oldest first. */
  *batches(): Generator<OutgoingBatch> {
    yield* this.#inFlight;
    yield* this.#waiting;
    if (this.open !== undefined) yield this.open;
  }

  #answered(batch: OutgoingBatch): void {
    const index = this.#inFlight.indexOf(batch);
    assert(index >= 0, `an answer came for a batch of ${this.topic}-${this.partition} that is not in flight`);
    this.#inFlight.splice(index, 1);
  }

  #settleDraining(): void {
    if (this.#inFlight.length > 0) return;
    this.#draining = false;
    if (!this.#resetting) return;
    this.#resetting = false;
    this.#abandoned = this.#identity ?? this.#abandoned;
    this.#identity = undefined;
    for (const batch of this.#waiting) batch.unstamp();
  }
}
