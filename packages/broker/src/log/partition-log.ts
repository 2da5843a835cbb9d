import { assert } from '@millrace/core';
import {
  encodeControlBatch,
  ErrorCode,
  type IsolationLevel,
  patchBaseOffset,
  readBatchHeader,
  RecordBatchHeader,
} from '@millrace/wire';
import { ProducerStates } from '../producers/producer-states.ts';
import { Refusal } from '../refusal.ts';
import { AbortedIndex } from './aborted-index.ts';
import { stampAppendTime } from './append-time.ts';
import { checkProducedBatch } from './batch-checks.ts';
import { LogWatchers } from './log-watchers.ts';
import { replaySegments } from './replay.ts';
import { SegmentList } from './segment-list.ts';
import type { LogSettings } from './log-settings.ts';
import type { PartitionStorage } from './segment-bytes.ts';

/** Where a batch went. */
export interface AppendResult {
  readonly baseOffset: number;
  /** −1 unless the topic stamps batches with the time of the broker. */
  readonly logAppendTimeMs: number;
}

/** Ends a transaction in this partition. */
export interface EndMarker {
  readonly commit: boolean;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
}

/** What a partition log is made of. */
export interface PartitionLogOptions {
  /** Topic and partition as `topic-0`, for messages. */
  readonly name: string;
  readonly storage: PartitionStorage;
  /** Asked at every use: the configuration of a topic changes while it lives. */
  readonly settings: () => LogSettings;
  readonly leaderEpoch: number;
  readonly nowMs: () => number;
}

/**
 * The log of one partition on its only replica.
 *
 *     logStartOffset ≤ lastStableOffset ≤ highWatermark = logEndOffset
 *
 * The last stable offset is where the oldest open transaction begins. Control batches take offsets like any others.
 * Whoever waits for records is told after every change ({@link watchers}).
 *
 * Source: Kafka `UnifiedLog`.
 */
export class PartitionLog {
  readonly watchers = new LogWatchers();
  readonly producers = new ProducerStates();
  readonly aborted = new AbortedIndex();
  readonly segments: SegmentList;
  readonly #name: string;
  readonly #storage: PartitionStorage;
  readonly #settings: () => LogSettings;
  readonly #nowMs: () => number;
  readonly #header = new RecordBatchHeader();
  readonly #markerListeners: ((marker: EndMarker) => void)[] = [];
  #logStartOffset: number;
  #logEndOffset: number;
  #cleanPoint: number;
  #isDeleted = false;
  #leaderEpoch: number;

  constructor(options: PartitionLogOptions) {
    this.#name = options.name;
    this.#storage = options.storage;
    this.#settings = options.settings;
    this.#nowMs = options.nowMs;
    this.#leaderEpoch = options.leaderEpoch;
    this.segments = new SegmentList(options.storage);
    this.#logStartOffset = options.storage.savedLogStart();
    this.#cleanPoint = options.storage.savedCleanPoint();
    const replayedEnd = replaySegments(this.segments, this.producers, this.aborted, this.settings.indexIntervalBytes);
    this.#logEndOffset = Math.max(replayedEnd, this.#logStartOffset);
    this.segments.dropBelow(this.#logStartOffset);
    this.aborted.dropBelow(this.#logStartOffset);
    if (this.segments.isEmpty) this.segments.roll(this.#logEndOffset);
  }

  get settings(): LogSettings {
    return this.#settings();
  }

  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  get highWatermark(): number {
    return this.#logEndOffset;
  }

  get lastStableOffset(): number {
    return this.producers.firstUnstableOffset ?? this.#logEndOffset;
  }

  /** Below it every key stands once, as far as compaction has come. */
  get cleanPoint(): number {
    return Math.max(this.#cleanPoint, this.#logStartOffset);
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }

  /** Another node leads from now on; who waits for records here learns it. */
  beginLeaderEpoch(): void {
    this.#leaderEpoch++;
    this.watchers.notify();
  }

  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /** The offset below which a reader of that isolation may read. */
  readableEnd(isolation: IsolationLevel): number {
    return isolation === 'read_committed' ? this.lastStableOffset : this.#logEndOffset;
  }

  /**
   * Appends what a client produced.
   *
   * The bytes are copied, and their header is overwritten with the offset that they get.
   *
   * @throws Refusal for everything that is wrong with them; then nothing was appended
   */
  appendProduced(records: Buffer | undefined): AppendResult {
    const header = this.#header;
    const { settings } = this;
    const nowMs = this.#nowMs();
    checkProducedBatch(records, header, { settings, partition: this.#name, nowMs });
    if (header.producerId >= 0) {
      const duplicate = this.producers.check(header);
      // With the time of the first append, whatever the topic says about timestamps: so does Kafka.
      if (duplicate !== undefined) return { baseOffset: duplicate.baseOffset, logAppendTimeMs: duplicate.timestamp };
    }
    if (settings.logAppendTime) stampAppendTime(records, nowMs);
    this.#append(records);
    return this.#resultOf(header.baseOffset, nowMs);
  }

  /** Appends a batch of the broker itself, which has no sequence to check. */
  appendInternal(batch: Buffer): number {
    this.#append(batch);
    return this.#header.baseOffset;
  }

  /**
   * Writes the marker that ends a transaction. Where the transaction has no data the marker is written all the same.
   *
   * @returns offset of the marker
   */
  appendMarker(marker: EndMarker): number {
    const timestamp = this.#nowMs();
    const batch = encodeControlBatch({ ...marker, marker: marker.commit ? 'commit' : 'abort', timestamp });
    this.#append(batch, marker);
    const { baseOffset } = this.#header;
    for (const listener of this.#markerListeners) listener(marker);
    return baseOffset;
  }

  /** Calls back after each marker, for coordinators that keep state by transactions. */
  onMarker(listener: (marker: EndMarker) => void): void {
    this.#markerListeners.push(listener);
  }

  #append(batch: Buffer, marker?: EndMarker): void {
    const header = this.#header;
    const { settings } = this;
    if (this.#isDeleted) throw new Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    patchBaseOffset(batch, 0, this.#logEndOffset, this.leaderEpoch);
    assert(readBatchHeader(batch, 0, header), 'a batch to be appended is cut off');
    this.segments.rollBefore(header, settings, this.#logEndOffset);
    this.segments.active.append(batch, header, settings.indexIntervalBytes);
    this.#logEndOffset = header.lastOffset + 1;
    if (marker !== undefined) this.#ended(marker, header);
    else if (header.producerId >= 0) this.producers.appended(header);
    this.watchers.notify();
  }

  #ended(marker: EndMarker, header: RecordBatchHeader): void {
    const firstOffset = this.producers.ended(marker.producerId, marker.producerEpoch, header.maxTimestamp);
    if (firstOffset !== undefined && !marker.commit) this.aborted.add(marker.producerId, firstOffset, header.baseOffset);
  }

  #resultOf(baseOffset: number, timestamp: number): AppendResult {
    return { baseOffset, logAppendTimeMs: this.settings.logAppendTime ? timestamp : -1 };
  }

  /** Moves the start of the log forward; segments that lie wholly below go. */
  advanceLogStart(offset: number): void {
    if (offset <= this.#logStartOffset) return;
    this.#storage.saveLogStart(offset);
    this.#logStartOffset = offset;
    // A log whose every record is gone goes on behind them.
    if (offset >= this.#logEndOffset) this.segments.roll(this.#logEndOffset);
    this.segments.dropBelow(offset);
    this.aborted.dropBelow(offset);
    this.watchers.notify();
  }

  advanceCleanPoint(offset: number): void {
    this.#storage.saveCleanPoint(offset);
    this.#cleanPoint = offset;
  }

  /** Puts what was written onto the disk. */
  flush(): void {
    this.segments.active.bytes.flush();
  }

  close(): void {
    for (const segment of this.segments.all) segment.bytes.close();
  }

  /** Forgets everything; who waits for records learns it. */
  delete(): void {
    this.#isDeleted = true;
    this.segments.deleteAll();
    this.#storage.delete();
    this.watchers.notify();
  }
}
