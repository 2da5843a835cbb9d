import { StreamsError } from '@millrace/core';
import { initProducerId } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../errors/broker-error.ts';
import { retrying } from '../retry/retrying.ts';
import type { FailureLog } from './failure-log.ts';
import type { OutgoingBatch } from './outgoing-batch.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { NO_IDENTITY, type ProducerIdentity } from './producer-identity.ts';
import type { SequencePolicy } from './sequence-policy.ts';

/** Batches go out as they are: without idempotence there is nothing to keep in sequence. */
export class UnsequencedPolicy implements SequencePolicy {
  readonly #failures: FailureLog;

  constructor(failures: FailureLog) {
    this.#failures = failures;
  }

  identityFor(): ProducerIdentity {
    return NO_IDENTITY;
  }

  startsOver(): boolean {
    return false;
  }

  onGivenUp({ topic, partition }: PartitionQueue, error: StreamsError): void {
    this.#failures.record({ topic, partition, error });
  }
}

/**
 * Sequencing of the idempotent producer without transactions. A partition whose sequence the broker has lost goes on under a
 * new producer id; the other partitions keep theirs.
 *
 * When an unanswered attempt of a batch may have been written before the broker lost track, sending it again can duplicate its
 * records: that is what at-least-once allows, and losing them is what it does not.
 */
export class IdempotentSequencing implements SequencePolicy {
  readonly #cluster: Cluster;
  readonly #failures: FailureLog;
  readonly #onIdentity: (error: StreamsError | undefined) => void;
  #identity: ProducerIdentity | undefined;
  #asking = false;

  /** @param onIdentity called when there is an identity again, or with the reason why there will be none */
  constructor(cluster: Cluster, failures: FailureLog, onIdentity: (error: StreamsError | undefined) => void) {
    this.#cluster = cluster;
    this.#failures = failures;
    this.#onIdentity = onIdentity;
  }

  identityFor(queue: PartitionQueue): ProducerIdentity | undefined {
    // A partition changes its identity only by starting over: batches under the old one may still be on their way.
    if (queue.identity !== undefined) return queue.identity;
    if (this.#identity !== undefined && this.#identity === queue.abandonedIdentity) this.#identity = undefined;
    if (this.#identity === undefined) this.#ask();
    return this.#identity;
  }

  startsOver(queue: PartitionQueue, batch: OutgoingBatch, errorCode: number): boolean {
    const { topic, partition } = queue;
    this.#cluster.logger.warn('the broker lost the sequence of the producer; going on under a new producer id', {
      topic,
      partition,
      errorCode,
      duplicatesPossible: batch.outcomeUnknown,
    });
    return true;
  }

  onGivenUp({ topic, partition }: PartitionQueue, error: StreamsError): void {
    this.#failures.record({ topic, partition, error });
  }

  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    void this.#initialise();
  }

  async #initialise(): Promise<void> {
    let failed: StreamsError | undefined;
    try {
      this.#identity = await retrying(this.#cluster.retryOptions(this.#cluster.closing), () => this.#initialiseOnce());
    } catch (error) {
      failed = asStreamsError(error);
    }
    this.#asking = false;
    this.#onIdentity(failed);
  }

  async #initialiseOnce(): Promise<ProducerIdentity> {
    const body = { transactionalId: undefined, transactionTimeoutMs: 0 };
    const { errorCode, producerId, producerEpoch } = await this.#cluster.requests.send(initProducerId, 'any', body, {
      lane: 'data',
    });
    if (errorCode !== 0) throw brokerError(errorCode, { api: 'InitProducerId' });
    return { producerId, producerEpoch };
  }
}

function asStreamsError(error: unknown): StreamsError {
  return error instanceof StreamsError ? error : new StreamsError('INIT_PRODUCER_ID_FAILED', String(error), { cause: error });
}
