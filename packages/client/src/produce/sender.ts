import { CancelledError, FatalStreamsError, RetriableError, StreamsError, type Cancel } from '@millrace/core';
import { decodeResponse, ErrorCode, produce, ProtocolWriter, type Compression, type ResponseOf } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../errors/broker-error.ts';
import { consequenceOf, passesByItself } from '../errors/consequence.ts';
import { isOutcomeUnknown } from '../errors/transport-error.ts';
import { MARKER_BACKOFF, RECONNECT_BACKOFF } from '../retry/backoff.ts';
import type { Accumulator } from './accumulator.ts';
import type { BatchFormat, OutgoingBatch } from './outgoing-batch.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { writeProduceRequest, type SentBatch } from './produce-request.ts';
import type { SequencePolicy } from './sequence-policy.ts';
import { splitBatch } from './split-batch.ts';

export interface SenderOptions {
  readonly cluster: Cluster;
  readonly accumulator: Accumulator;
  readonly policy: SequencePolicy;
  readonly transactionalId: string | undefined;
  readonly compression: Compression;
  readonly acks: -1 | 0 | 1;
  readonly deliveryTimeoutMs: number;
  /** What waits in memory: requests are a fraction of it. */
  readonly memoryBytes: number;
  readonly batchBytes: number;
  /** Requests per broker. */
  readonly maxInFlight: number;
  /** Batches per partition; 1 keeps the order without idempotence. */
  readonly maxInFlightPerPartition: number;
  /** Highest Produce version: from 12 on it means transactions v2. */
  readonly versionMax: () => number;
}

/** A request is not made larger than this, or this share of the memory; a batch that is larger goes alone. */
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
const REQUEST_SHARE = 0.125;
const KEPT_WRITERS_MAX = 8;

type PartitionResponse = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number];

/**
 * Sends complete batches to the leaders of their partitions: one request carries batches of many partitions, several requests
 * per broker are on their way at a time, and per partition the order is kept through every retry.
 *
 * Source: Kafka `Sender`, `TransactionManager`.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #format: BatchFormat;
  readonly #requestBytesMax: number;
  readonly #ready = new Set<PartitionQueue>();
  readonly #requestsInFlight = new Map<number, number>();
  readonly #writers: ProtocolWriter[] = [];
  readonly #stopListening: () => void;
  #paused = false;
  #closed = false;
  #kicked = false;
  #cancelWake: Cancel | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#format = { compression: options.compression, transactional: options.transactionalId !== undefined };
    this.#requestBytesMax = Math.min(REQUEST_BYTES_MAX, Math.max(options.batchBytes, options.memoryBytes * REQUEST_SHARE));
    this.#stopListening = options.cluster.onMetadata(() => this.kick());
  }

  /** The queue has a complete batch. */
  add(queue: PartitionQueue): void {
    this.#ready.add(queue);
    this.kick();
  }

  /** Holds everything back until {@link resume}; what is in flight goes on. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.kick();
  }

  /** Forgets what waits: the accumulator was cleared. */
  clear(): void {
    this.#ready.clear();
  }

  /** Gives up all that waits: there will be no identity to send it under. */
  failWaiting(error: StreamsError): void {
    for (const queue of this.#ready) {
      for (const batch of queue.dropWaiting()) {
        this.#options.policy.onGivenUp(queue, error);
        this.#options.accumulator.release(batch);
      }
    }
    this.#ready.clear();
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake?.();
    this.#stopListening();
    this.#ready.clear();
  }

  /** Looks, at the end of the current turn, what can be sent: so that all that was appended in it goes into few requests. */
  kick(): void {
    if (this.#kicked || this.#closed) return;
    this.#kicked = true;
    void Promise.resolve().then(() => {
      this.#kicked = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (!this.#paused && !this.#closed) {
      const byLeader = this.#sendable();
      if (byLeader.size === 0) return;
      for (const [nodeId, queues] of byLeader) this.#sendTo(nodeId, queues);
    }
  }

  /** Queues whose head can go now, by leader. */
  #sendable(): Map<number, PartitionQueue[]> {
    const byLeader = new Map<number, PartitionQueue[]>();
    const nowMs = this.#options.cluster.clock.monotonicMs();
    let wakeAtMs = Infinity;
    for (const queue of this.#ready) {
      this.#expireHead(queue, nowMs);
      if (queue.waitingCount === 0) {
        this.#ready.delete(queue);
        continue;
      }
      if (queue.isDraining || queue.inFlightCount >= this.#inFlightMax(queue)) continue;
      const leader = this.#leaderOf(queue, nowMs);
      if (queue.retryAtMs > nowMs) wakeAtMs = Math.min(wakeAtMs, queue.retryAtMs);
      else if (leader !== undefined && this.#hasRoom(leader) && this.#mayStamp(queue)) addTo(byLeader, leader, queue);
    }
    if (wakeAtMs !== Infinity) this.#wakeIn(wakeAtMs - nowMs);
    return byLeader;
  }

  #inFlightMax(queue: PartitionQueue): number {
    return queue.isEstablished ? this.#options.maxInFlightPerPartition : 1;
  }

  #hasRoom(nodeId: number): boolean {
    return (this.#requestsInFlight.get(nodeId) ?? 0) < this.#options.maxInFlight;
  }

  #mayStamp(queue: PartitionQueue): boolean {
    return queue.head?.identity !== undefined || this.#options.policy.identityFor(queue) !== undefined;
  }

  /** Undefined while nobody leads: the next metadata round looks again, and so does a timer, for the delivery timeout. */
  #leaderOf(queue: PartitionQueue, nowMs: number): number | undefined {
    const { cluster } = this.#options;
    const leader = cluster.leader(queue.topic, queue.partition);
    if (leader !== undefined) return leader;
    cluster.refreshSoon(queue.topic);
    if (queue.retryAtMs <= nowMs) queue.retryAtMs = nowMs + RECONNECT_BACKOFF.maxMs;
    return undefined;
  }

  #sendTo(nodeId: number, queues: readonly PartitionQueue[]): void {
    const sent: SentBatch[] = [];
    let bytes = 0;
    for (const queue of queues) {
      const identity = queue.head?.identity ?? this.#options.policy.identityFor(queue);
      if (identity === undefined || bytes >= this.#requestBytesMax || !this.#bringBackHead(queue)) continue;
      const batch = queue.send(identity);
      const encoded = batch.bytes(this.#format);
      bytes += encoded.length;
      sent.push({ queue, batch, bytes: encoded });
      // To the end, so that no partition is always the one that does not fit.
      this.#ready.delete(queue);
      this.#ready.add(queue);
    }
    if (sent.length === 0) return;
    this.#requestsInFlight.set(nodeId, (this.#requestsInFlight.get(nodeId) ?? 0) + 1);
    void this.#request(nodeId, sent);
  }

  /** False when the records of the head are lost: whoever flushes learns of it from the accumulator. */
  #bringBackHead(queue: PartitionQueue): boolean {
    const { accumulator } = this.#options;
    const { head } = queue;
    if (head === undefined || accumulator.bringBack(head, queue)) return true;
    queue.giveUp(head);
    accumulator.release(head);
    return false;
  }

  async #request(nodeId: number, sent: readonly SentBatch[]): Promise<void> {
    const writer = this.#writers.pop() ?? new ProtocolWriter();
    try {
      const response = await this.#exchange(nodeId, writer, sent);
      this.#settle(sent, response);
    } catch (error) {
      this.#settleFailed(sent, error as Error);
    } finally {
      if (this.#writers.length < KEPT_WRITERS_MAX) this.#writers.push(writer);
      this.#requestsInFlight.set(nodeId, (this.#requestsInFlight.get(nodeId) ?? 1) - 1);
      this.kick();
    }
  }

  async #exchange(
    nodeId: number,
    writer: ProtocolWriter,
    sent: readonly SentBatch[],
  ): Promise<ResponseOf<typeof produce> | undefined> {
    const { cluster, acks, transactionalId, versionMax } = this.#options;
    const { requests } = cluster;
    const version = await requests.version(produce, nodeId, versionMax());
    const body = writeProduceRequest(writer, { transactionalId, acks, timeoutMs: requests.requestTimeoutMs }, sent);
    const request = { api: produce, version, body, expectResponse: acks !== 0 };
    const answer = await requests.sendEncoded(nodeId, request, { lane: 'data' });
    return acks === 0 ? undefined : decodeResponse(produce, version, answer);
  }

  // ---- answers ---------------------------------------------------------------------------------------------------------

  #settle(sent: readonly SentBatch[], response: ResponseOf<typeof produce> | undefined): void {
    const answers = new Map<string, PartitionResponse>();
    for (const { name, partitionResponses } of response?.responses ?? []) {
      for (const answer of partitionResponses) answers.set(`${name} ${answer.index}`, answer);
    }
    for (const one of sent) {
      const answer = answers.get(`${one.queue.topic} ${one.queue.partition}`);
      if (answer !== undefined) this.#settleOne(one, answer);
      else if (response === undefined) this.#acknowledge(one, -1);
      else this.#retryUnanswered(one, new RetriableError('NO_ANSWER', 'the answer to Produce lacks the partition'));
    }
  }

  #settleOne(one: SentBatch, answer: PartitionResponse): void {
    const { batch } = one;
    const { errorCode } = answer;
    if (batch.isReleased) return;
    if (errorCode === ErrorCode.NONE) this.#acknowledge(one, answer.baseOffset + batch.builder.count);
    else if (errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) this.#acknowledge(one, -1);
    else if (errorCode === ErrorCode.MESSAGE_TOO_LARGE && batch.builder.count > 1) this.#split(one);
    else if (!isAboutIdentity(errorCode) || !this.#settleIdentity(one, errorCode)) this.#settleError(one, answer);
  }

  #settleError(one: SentBatch, answer: PartitionResponse): void {
    const { topic, partition } = one.queue;
    const error = brokerError(answer.errorCode, { api: 'Produce', topic, partition, brokerMessage: messageOf(answer) });
    if (passesByItself(answer.errorCode)) this.#retry(one, error, answer.errorCode);
    else this.#giveUp(one.queue, one.batch, error);
  }

  #acknowledge({ queue, batch }: SentBatch, endOffset: number): void {
    if (batch.isReleased) return;
    queue.acknowledge(batch, endOffset);
    this.#options.accumulator.release(batch);
    // It has waited for those before it, and not for the broker.
    if (queue.head?.isAside === true) queue.head.waitsSinceMs = this.#options.cluster.clock.monotonicMs();
  }

  /** True when the batch will be sent again. */
  #settleIdentity({ queue, batch }: SentBatch, errorCode: number): boolean {
    // An earlier batch is to be sent again: that this one does not fit behind it yet is only natural.
    const isBehindAnother = errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && !queue.isOldest(batch);
    if (!isBehindAnother) {
      if (!this.#options.policy.startsOver(queue, batch, errorCode)) return false;
      queue.startOver();
    }
    queue.putBack(batch);
    this.#ready.add(queue);
    return true;
  }

  #split({ queue, batch }: SentBatch): void {
    const { accumulator, cluster } = this.#options;
    const first = accumulator.partOf(batch, batch.ordinal, batch.ordinalSpan / 2);
    const second = accumulator.partOf(batch, batch.ordinal + batch.ordinalSpan / 2, batch.ordinalSpan / 2);
    splitBatch(batch, first, second);
    accumulator.countPart(first);
    accumulator.countPart(second);
    cluster.logger.warn('a batch was too large for the topic and is split', { topic: queue.topic, records: batch.builder.count });
    batch.handBarriersTo([first, second]);
    queue.putBack(batch, first, second);
    accumulator.release(batch);
    this.#ready.add(queue);
  }

  /** Nothing came back: the transport failed, or the answer is unreadable. */
  #settleFailed(sent: readonly SentBatch[], error: Error): void {
    for (const one of sent) {
      if (one.batch.isReleased) continue;
      if (error instanceof RetriableError) this.#retryUnanswered(one, error);
      else if (error instanceof CancelledError || this.#closed) this.#options.accumulator.release(one.batch);
      else this.#giveUp(one.queue, one.batch, asStreamsError(error));
    }
  }

  #retryUnanswered(one: SentBatch, error: RetriableError): void {
    if (isOutcomeUnknown(error)) one.batch.outcomeUnknown = true;
    this.#options.cluster.refreshSoon(one.queue.topic);
    this.#retry(one, error, -1);
  }

  #retry({ queue, batch }: SentBatch, error: StreamsError, errorCode: number): void {
    const { cluster } = this.#options;
    if (consequenceOf(errorCode) === 'refresh-metadata') cluster.refreshSoon(queue.topic);
    const policy = errorCode === ErrorCode.CONCURRENT_TRANSACTIONS ? MARKER_BACKOFF : RECONNECT_BACKOFF;
    const delayMs = Math.min(policy.maxMs, policy.initialMs * 2 ** Math.min(queue.failures, 16));
    queue.failures++;
    queue.retryAtMs = cluster.clock.monotonicMs() + delayMs / 2 + (delayMs / 2) * cluster.random.next();
    queue.putBack(batch);
    this.#ready.add(queue);
    cluster.logger.debug('produce is retried', { topic: queue.topic, partition: queue.partition, error: error.message });
  }

  #giveUp(queue: PartitionQueue, batch: OutgoingBatch, error: StreamsError): void {
    queue.giveUp(batch);
    this.#options.policy.onGivenUp(queue, error);
    this.#options.accumulator.release(batch);
  }

  #expireHead(queue: PartitionQueue, nowMs: number): void {
    const { deliveryTimeoutMs } = this.#options;
    for (let head = queue.head; head !== undefined && nowMs - head.waitsSinceMs > deliveryTimeoutMs; head = queue.head) {
      if (queue.isDraining || (head.isAside && queue.inFlightCount > 0)) return;
      const error = new RetriableError(
        'DELIVERY_TIMEOUT',
        `${head.count} records were not acknowledged within ${deliveryTimeoutMs} ms; check that the brokers are reachable ` +
          'and have enough in-sync replicas, or raise the delivery timeout',
        { topic: queue.topic, partition: queue.partition },
      );
      this.#giveUp(queue, head, error);
    }
  }

  #wakeIn(delayMs: number): void {
    this.#cancelWake?.();
    this.#cancelWake = this.#options.cluster.clock.setTimer(Math.max(1, delayMs), () => {
      this.#cancelWake = undefined;
      this.kick();
    });
  }
}

function addTo(byLeader: Map<number, PartitionQueue[]>, leader: number, queue: PartitionQueue): void {
  const same = byLeader.get(leader);
  if (same === undefined) byLeader.set(leader, [queue]);
  else same.push(queue);
}

/** The leader has other ideas of who the producer is or what comes next. */
function isAboutIdentity(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ||
    errorCode === ErrorCode.UNKNOWN_PRODUCER_ID ||
    errorCode === ErrorCode.INVALID_PRODUCER_EPOCH ||
    errorCode === ErrorCode.INVALID_PRODUCER_ID_MAPPING
  );
}

function messageOf(answer: PartitionResponse): string | undefined {
  return answer.recordErrors[0]?.batchIndexErrorMessage ?? answer.errorMessage;
}

function asStreamsError(error: Error): StreamsError {
  if (error instanceof StreamsError) return error;
  return new FatalStreamsError('PRODUCE_FAILED', `Produce failed: ${error.message}`, { cause: error });
}
