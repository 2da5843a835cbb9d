import { assert, CancelledError, RetriableError, StreamsError, topicPartitionKey, type Cancel } from '@millrace/core';
import { ErrorCode, fetch, loadCodecs, type FetchResponse } from '@millrace/wire';
import { UNKNOWN_TOPIC_GRACE_MS, type Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../errors/broker-error.ts';
import { consequenceOf } from '../errors/consequence.ts';
import type { FetchedPartition, Fetcher, FetchFailure, FetcherOptions } from '../port/kafka-client.ts';
import { RECONNECT_BACKOFF } from '../retry/backoff.ts';
import { Arrival } from './arrival.ts';
import { AssignedPartition, type PartitionBounds } from './assigned-partition.ts';
import { BatchDecoder, type DecodedRecords } from './batch-decoder.ts';
import { failureReason, fetchFailure, topicRecreated } from './fetch-failure.ts';
import { fetchRequest, fetchVersionMax, isWanted, shareOf, type PlannedPartition } from './fetch-plan.ts';
import { resolveFetchSettings, type FetchSettings } from './fetch-settings.ts';
import { ReadyLine } from './ready-line.ts';

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** What one partition of an answer holds. */
interface DecodedPartition {
  readonly one: PlannedPartition;
  readonly answer: PartitionAnswer;
  readonly decoded: DecodedRecords;
}

/** A damaged answer is asked for once more before the partition counts as corrupt. */
const CORRUPT_ANSWERS_MAX = 2;
const NO_RECORDS = Buffer.alloc(0);

/**
 * Reads the assigned partitions in the background, with one request at a time per leader. What it may ask for is decided
 * anew for each request, so partitions come and go, pause and resume without anything being set up or torn down.
 *
 * Source: Kafka `Fetcher`, `AbstractFetch`; differs: buffers are bounded per partition, errors are reported, not thrown.
 */
export class BackgroundFetcher implements Fetcher {
  readonly #cluster: Cluster;
  readonly #settings: FetchSettings;
  readonly #decoder: BatchDecoder;
  readonly #partitions = new Map<string, AssignedPartition>();
  readonly #ready = new ReadyLine();
  readonly #arrival: Arrival;
  readonly #busyNodes = new Set<number>();
  readonly #stopListening: () => void;
  #failures: FetchFailure[] = [];
  #closed = false;
  #kicked = false;
  #cancelWake: Cancel | undefined;

  constructor(cluster: Cluster, options: FetcherOptions = {}) {
    this.#cluster = cluster;
    this.#settings = resolveFetchSettings(options);
    this.#decoder = new BatchDecoder(this.#settings.isolation, this.#settings.maxDecompressedBytes);
    this.#arrival = new Arrival(cluster.clock);
    this.#stopListening = cluster.onMetadata(() => this.#kick());
  }

  // ---- assignment ------------------------------------------------------------------------------------------------------

  assign(topic: string, partition: number, offset: number, topicId?: string): void {
    const key = topicPartitionKey(topic, partition);
    assert(!this.#partitions.has(key), `partition ${key} was assigned twice`);
    this.#partitions.set(key, new AssignedPartition(topic, partition, offset, topicId));
    this.#kick();
  }

  unassign(topic: string, partition: number): void {
    const assigned = this.#get(topic, partition);
    assigned.seek(assigned.position);
    this.#partitions.delete(topicPartitionKey(topic, partition));
    this.#forgetFailure(assigned);
  }

  seek(topic: string, partition: number, offset: number, topicId?: string): void {
    const assigned = this.#get(topic, partition);
    assigned.seek(offset);
    if (topicId !== undefined) assigned.topicId = topicId;
    this.#forgetFailure(assigned);
    this.#kick();
  }

  pause(topic: string, partition: number): void {
    this.#get(topic, partition).paused = true;
  }

  resume(topic: string, partition: number): void {
    const assigned = this.#get(topic, partition);
    assigned.paused = false;
    if (assigned.buffered.length > 0) this.#arrival.announce();
    this.#kick();
  }

  position(topic: string, partition: number): number {
    return this.#get(topic, partition).position;
  }

  bounds(topic: string, partition: number): PartitionBounds | undefined {
    return this.#get(topic, partition).bounds;
  }

  #get(topic: string, partition: number): AssignedPartition {
    const assigned = this.#partitions.get(topicPartitionKey(topic, partition));
    assert(assigned !== undefined, `partition ${topicPartitionKey(topic, partition)} is not assigned to this fetcher`);
    return assigned;
  }

  // ---- taking ----------------------------------------------------------------------------------------------------------

  get available(): boolean {
    return this.#ready.available;
  }

  async wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.available || this.#failures.length > 0 || this.#closed) return;
    await this.#arrival.wait(timeoutMs, signal);
  }

  take(): FetchedPartition | undefined {
    const fetched = this.#ready.take();
    if (fetched !== undefined) this.#kick();
    return fetched;
  }

  takeFailures(): FetchFailure[] {
    const failures = this.#failures;
    this.#failures = [];
    return failures;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#cancelWake?.();
    this.#stopListening();
    this.#partitions.clear();
    this.#ready.clear();
    this.#arrival.announce();
    this.#cluster.openParts.delete(this);
    return Promise.resolve();
  }

  // ---- asking ----------------------------------------------------------------------------------------------------------

  /** Looks at the end of the current turn what to ask for, so that many changes in one turn make one request. */
  #kick(): void {
    if (this.#kicked || this.#closed) return;
    this.#kicked = true;
    void Promise.resolve().then(() => {
      this.#kicked = false;
      if (!this.#closed) this.#askIdleLeaders();
    });
  }

  #askIdleLeaders(): void {
    const nowMs = this.#cluster.clock.monotonicMs();
    const shareBytes = shareOf(this.#settings, this.#partitions.size);
    const byLeader = new Map<number, PlannedPartition[]>();
    let wakeAtMs = Infinity;
    for (const partition of this.#partitions.values()) {
      if (partition.retryAtMs > nowMs) wakeAtMs = Math.min(wakeAtMs, partition.retryAtMs);
      if (!isWanted(partition, shareBytes, nowMs)) continue;
      const leader = this.#leaderOf(partition);
      if (leader === undefined || this.#busyNodes.has(leader)) continue;
      const planned = { partition, epoch: partition.epoch, fetchOffset: partition.fetchPosition };
      const same = byLeader.get(leader);
      if (same === undefined) byLeader.set(leader, [planned]);
      else same.push(planned);
    }
    if (wakeAtMs !== Infinity) this.#wakeIn(wakeAtMs - nowMs);
    for (const [nodeId, planned] of byLeader) void this.#fetch(nodeId, planned, shareBytes);
  }

  /** Undefined while nobody leads: the metadata round that it asks for will look again. */
  #leaderOf(partition: AssignedPartition): number | undefined {
    const { topic, topicId } = partition;
    const found = this.#cluster.knownTopic(topic)?.topicId;
    if (topicId !== undefined && found !== undefined && found !== topicId) {
      this.#fail(partition, 'topic-recreated', topicRecreated(partition, found));
      return undefined;
    }
    const leader = this.#cluster.leader(topic, partition.partition);
    if (leader !== undefined) return leader;
    if (this.#cluster.missingForMs(topic) > UNKNOWN_TOPIC_GRACE_MS) {
      this.#fail(partition, 'unknown-topic', brokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, { api: 'Fetch', topic }));
    } else this.#cluster.refreshSoon(topic);
    return undefined;
  }

  async #fetch(nodeId: number, planned: readonly PlannedPartition[], shareBytes: number): Promise<void> {
    this.#busyNodes.add(nodeId);
    for (const { partition } of planned) partition.inFlight = true;
    try {
      const { requests } = this.#cluster;
      const timeoutMs = requests.requestTimeoutMs + this.#settings.maxWaitMs;
      const body = fetchRequest(this.#settings, planned, shareBytes);
      const versionMax = fetchVersionMax(planned);
      const options = { lane: this.#settings.lane, timeoutMs, ...(versionMax === undefined ? {} : { versionMax }) };
      const response = await requests.send(fetch, nodeId, body, options);
      if (response.errorCode !== 0) throw brokerError(response.errorCode, { api: 'Fetch' });
      this.#settle(await this.#decode(planned, response));
    } catch (error) {
      this.#settleFailed(planned, error as Error);
    } finally {
      this.#busyNodes.delete(nodeId);
      for (const one of planned) if (isCurrent(one)) one.partition.inFlight = false;
      this.#kick();
    }
  }

  // ---- answers ---------------------------------------------------------------------------------------------------------

  async #decode(planned: readonly PlannedPartition[], response: FetchResponse): Promise<DecodedPartition[]> {
    const answers = new Map<string, PartitionAnswer>();
    for (const { topic, topicId, partitions } of response.responses) {
      // An answer names topics as the question did, by name or by id.
      for (const answer of partitions) answers.set(topicPartitionKey(topic || topicId, answer.partitionIndex), answer);
    }
    try {
      return this.#decodeAll(planned, answers);
    } catch (error) {
      if (!(error instanceof StreamsError) || error.code !== 'CODEC_NOT_LOADED') throw error;
      // Some codecs take a moment to load; that is only worth it once a topic uses them.
      await loadCodecs();
      return this.#decodeAll(planned, answers);
    }
  }

  #decodeAll(planned: readonly PlannedPartition[], answers: ReadonlyMap<string, PartitionAnswer>): DecodedPartition[] {
    const decoded: DecodedPartition[] = [];
    for (const one of planned) {
      const { topic, topicId = topic, partition } = one.partition;
      const answer = answers.get(topicPartitionKey(topic, partition)) ?? answers.get(topicPartitionKey(topicId, partition));
      // Dropped when a seek, or the end of the assignment, came in between.
      if (answer === undefined || !isCurrent(one)) continue;
      const { records = NO_RECORDS, abortedTransactions } = answer;
      decoded.push({
        one,
        answer,
        decoded: this.#decoder.decode({ records, fetchOffset: one.fetchOffset, abortedTransactions }),
      });
    }
    return decoded;
  }

  /**
   * Takes in all partitions of an answer in one go: a reader that saw only some of them would take the others for read up to
   * their end, and put their records behind later ones.
   */
  #settle(all: readonly DecodedPartition[]): void {
    for (const { one, answer, decoded } of all) {
      if (!isCurrent(one)) continue;
      if (answer.errorCode !== 0) this.#settleError(one.partition, answer.errorCode);
      else if (this.#takeIn(one, answer, decoded)) this.#moveToEnd(one.partition);
    }
  }

  /** True when records came. */
  #takeIn(one: PlannedPartition, answer: PartitionAnswer, decoded: DecodedRecords): boolean {
    const { partition, fetchOffset } = one;
    const { highWatermark, lastStableOffset, logStartOffset } = answer;
    const bounds = { highWatermark, lastStableOffset, logStartOffset };
    partition.bounds = bounds;
    const { batches, nextOffset, hasGaps, byteLength, error } = decoded;
    if (nextOffset > fetchOffset) {
      const { topic } = partition;
      partition.push({ topic, partition: partition.partition, fetchOffset, batches, nextOffset, hasGaps, ...bounds, byteLength });
      this.#ready.push(partition);
      if (!partition.paused) this.#arrival.announce();
    } else if (error !== undefined) this.#settleCorrupt(partition, error);
    else if (answer.records !== undefined && answer.records.length > 0) this.#retryLater(partition, noProgress(partition));
    else partition.failures = 0;
    return batches.length > 0;
  }

  /** Brokers fill an answer in the order of the question: whoever got something goes to the end. */
  #moveToEnd(partition: AssignedPartition): void {
    const key = topicPartitionKey(partition.topic, partition.partition);
    if (this.#partitions.get(key) !== partition) return;
    this.#partitions.delete(key);
    this.#partitions.set(key, partition);
  }

  #settleError(partition: AssignedPartition, errorCode: number): void {
    const { topic, partition: index, fetchPosition: offset } = partition;
    const error = brokerError(errorCode, { api: 'Fetch', topic, partition: index, offset });
    const reason = failureReason(errorCode);
    if (reason !== undefined) this.#fail(partition, reason, error);
    else if (errorCode === ErrorCode.CORRUPT_MESSAGE) this.#settleCorrupt(partition, error);
    else {
      if (consequenceOf(errorCode) === 'refresh-metadata') this.#cluster.refreshSoon(topic);
      this.#retryLater(partition, error);
    }
  }

  #settleCorrupt(partition: AssignedPartition, error: StreamsError): void {
    if (partition.failures + 1 >= CORRUPT_ANSWERS_MAX) this.#fail(partition, 'corrupt', error);
    else this.#retryLater(partition, error);
  }

  /** The whole request failed. */
  #settleFailed(planned: readonly PlannedPartition[], error: Error): void {
    if (error instanceof CancelledError || this.#closed) return;
    for (const one of planned) {
      if (!isCurrent(one)) continue;
      if (isRefusedAtTheDoor(error)) {
        this.#fail(one.partition, 'unauthorized', error);
        continue;
      }
      if (error instanceof RetriableError) this.#cluster.refreshSoon(one.partition.topic);
      this.#retryLater(one.partition, error);
    }
    if (!(error instanceof RetriableError || isRefusedAtTheDoor(error)))
      this.#cluster.logger.error('fetch failed; it is tried again', { error });
  }

  #retryLater(partition: AssignedPartition, error: Error): void {
    const { clock, random, logger } = this.#cluster;
    const delayMs = Math.min(RECONNECT_BACKOFF.maxMs, RECONNECT_BACKOFF.initialMs * 2 ** Math.min(partition.failures, 16));
    partition.failures++;
    // Partitions are retried at different moments: until this one has been, nobody can tell whether it is at its end.
    partition.bounds = undefined;
    partition.retryAtMs = clock.monotonicMs() + delayMs / 2 + (delayMs / 2) * random.next();
    logger.debug('fetch is retried', { topic: partition.topic, partition: partition.partition, error: error.message });
  }

  #fail(partition: AssignedPartition, reason: FetchFailure['reason'], error: StreamsError): void {
    partition.failed = true;
    this.#failures.push(fetchFailure(partition, reason, error));
    this.#arrival.announce();
  }

  /** Nobody must act on what is over: the partition is somebody else's by now, or is read from another place. */
  #forgetFailure({ topic, partition }: AssignedPartition): void {
    this.#failures = this.#failures.filter((failure) => failure.topic !== topic || failure.partition !== partition);
  }

  #wakeIn(delayMs: number): void {
    this.#cancelWake?.();
    this.#cancelWake = this.#cluster.clock.setTimer(Math.max(1, delayMs), () => this.#kick());
  }
}

/** No further attempt helps, and a broker that is asked again and again with a wrong password may lock the user out. */
function isRefusedAtTheDoor(error: Error): error is StreamsError {
  return error instanceof StreamsError && error.code === 'AUTHENTICATION_FAILED';
}

/** Without a pause, asking again for what the broker answers in this way would never end. */
function noProgress({ topic, partition, fetchPosition }: AssignedPartition): RetriableError {
  return new RetriableError('NO_PROGRESS', 'the answer holds no batch that reaches the offset that was asked for', {
    topic,
    partition,
    offset: fetchPosition,
  });
}

/** False once a seek, or the end of the assignment, has overtaken the question. */
function isCurrent({ partition, epoch }: PlannedPartition): boolean {
  return partition.epoch === epoch;
}
