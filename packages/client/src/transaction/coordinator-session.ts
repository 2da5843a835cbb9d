import { RetriableError, type StreamsError } from '@millrace/core';
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  txnOffsetCommit,
  type Api,
  type EndTxnResponse,
  type RequestInput,
  type ResponseOf,
} from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import type { CoordinatorKind } from '../cluster/coordinator-directory.ts';
import { groupByTopic } from '../cluster/topic-grouping.ts';
import { brokerError } from '../errors/broker-error.ts';
import { isOutcomeUnknown } from '../errors/transport-error.ts';
import { offsetsByTopic } from '../offsets/offsets-by-topic.ts';
import type { GroupMetadata, OffsetCommit } from '../port/kafka-client.ts';
import type { PartitionQueue } from '../produce/partition-queue.ts';
import type { ProducerIdentity } from '../produce/producer-identity.ts';
import { retrying } from '../retry/retrying.ts';

export interface SessionSettings {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
}

/** The last versions that mean transactions v1 (KIP-890 gave the next ones another meaning, not other bytes). */
const TXN_OFFSET_COMMIT_V1_MAX = 4;
const END_TXN_V1_MAX = 4;

/**
 * The requests that make up a transaction, besides Produce. What passes by itself is retried for as long as the transaction
 * can live; `sawUnknownOutcome` tells whether any of them may still be on its way somewhere.
 */
export class CoordinatorSession {
  readonly #cluster: Cluster;
  readonly #settings: SessionSettings;
  /** Transactions v2: partitions and groups add themselves, every EndTxn bumps the epoch. */
  isV2 = false;
  /** An attempt was not answered: a copy of it may arrive at the coordinator later. */
  sawUnknownOutcome = false;

  constructor(cluster: Cluster, settings: SessionSettings) {
    this.#cluster = cluster;
    this.#settings = settings;
  }

  async addPartitions(identity: ProducerIdentity, queues: readonly PartitionQueue[]): Promise<void> {
    const { transactionalId } = this.#settings;
    const topics = groupByTopic(queues, ({ partition }) => partition);
    const body = { transactionalId, ...identity, topics: topics.map(({ topic: name, partitions }) => ({ name, partitions })) };
    await this.#retrying(async () => {
      const response = await this.#send(addPartitionsToTxn, 'transaction', transactionalId, body);
      for (const { name, resultsByPartition } of response.resultsByTopic) {
        for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
          // The others were not attempted because of one that failed: that one's code says why.
          if (partitionErrorCode === OPERATION_NOT_ATTEMPTED) continue;
          this.#check(partitionErrorCode, 'AddPartitionsToTxn', 'transaction', transactionalId, name, partitionIndex);
        }
      }
    });
  }

  /** Adds the offsets to the transaction. Member and generation are always sent: without them nothing would be fenced. */
  async commitOffsets(identity: ProducerIdentity, group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    if (!this.isV2) await this.#addOffsets(identity, group.groupId);
    const { transactionalId } = this.#settings;
    const { groupId, generationId, memberId, groupInstanceId } = group;
    const body = {
      transactionalId,
      ...identity,
      groupId,
      generationId,
      memberId,
      groupInstanceId,
      topics: offsetsByTopic(offsets),
    };
    const versionMax = this.isV2 ? txnOffsetCommit.versionMax : TXN_OFFSET_COMMIT_V1_MAX;
    await this.#retrying(async () => {
      const response = await this.#send(txnOffsetCommit, 'group', groupId, body, versionMax);
      for (const { name, partitions } of response.topics) {
        for (const { partitionIndex, errorCode } of partitions)
          this.#check(errorCode, 'TxnOffsetCommit', 'group', groupId, name, partitionIndex);
      }
    });
  }

  async #addOffsets(identity: ProducerIdentity, groupId: string): Promise<void> {
    const { transactionalId } = this.#settings;
    await this.#retrying(async () => {
      const body = { transactionalId, ...identity, groupId };
      const { errorCode } = await this.#send(addOffsetsToTxn, 'transaction', transactionalId, body);
      this.#check(errorCode, 'AddOffsetsToTxn', 'transaction', transactionalId);
    });
  }

  /** Asks for the commit, once. */
  async endTransaction(identity: ProducerIdentity): Promise<EndTxnResponse> {
    const { transactionalId } = this.#settings;
    const body = { transactionalId, ...identity, committed: true };
    const versionMax = this.isV2 ? endTxn.versionMax : END_TXN_V1_MAX;
    const response = await this.#send(endTxn, 'transaction', transactionalId, body, versionMax);
    this.#cluster.noteCoordinatorError(response.errorCode, 'transaction', transactionalId);
    return response;
  }

  errorOf(errorCode: number, api: string): StreamsError {
    return brokerError(errorCode, { api, subject: `transactional id ${this.#settings.transactionalId}` });
  }

  #retrying(attempt: () => Promise<void>): Promise<void> {
    const options = { ...this.#cluster.retryOptions(), forAtMostMs: this.#settings.transactionTimeoutMs };
    return retrying(options, attempt);
  }

  async #send<A extends Api>(
    api: A,
    kind: CoordinatorKind,
    key: string,
    body: RequestInput<A>,
    versionMax?: number,
  ): Promise<ResponseOf<A>> {
    try {
      return await this.#cluster.sendToCoordinator(api, { kind, key, lane: 'data', ...(versionMax && { versionMax }) }, body);
    } catch (error) {
      if (isOutcomeUnknown(error)) this.sawUnknownOutcome = true;
      throw error;
    }
  }

  #check(errorCode: number, api: string, kind: CoordinatorKind, key: string, topic?: string, partition?: number): void {
    if (errorCode === 0) return;
    this.#cluster.noteCoordinatorError(errorCode, kind, key);
    const subject = kind === 'group' ? `group ${key}` : `transactional id ${key}`;
    const error = brokerError(errorCode, { api, subject, topic, partition });
    // A topic that is not known yet at the coordinator comes with the next metadata.
    if (error instanceof RetriableError && topic !== undefined) this.#cluster.refreshSoon(topic);
    throw error;
  }
}

const OPERATION_NOT_ATTEMPTED = 55;
