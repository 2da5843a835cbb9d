import type { StreamsError } from '@millrace/core';
import type { OutgoingBatch } from './outgoing-batch.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerIdentity } from './producer-identity.ts';

/** What the two kinds of producers decide differently about identities and failures. */
export interface SequencePolicy {
  /**
   * The identity under which the queue may send new batches. Undefined: not now; the policy lets the sender know when.
   */
  identityFor(queue: PartitionQueue): ProducerIdentity | undefined;
  /**
   * The broker does not accept the identity or sequence of the oldest unacknowledged batch.
   *
   * @returns true to send everything unacknowledged of the partition again under a new identity; false to give the batch up
   */
  startsOver(queue: PartitionQueue, batch: OutgoingBatch, errorCode: number): boolean;
  /** A batch was given up. */
  onGivenUp(queue: PartitionQueue, error: StreamsError): void;
}
