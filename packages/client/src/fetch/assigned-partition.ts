import type { FetchedPartition } from '../port/kafka-client.ts';

export interface PartitionBounds {
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
}

/**
 * A partition that is being read: where to fetch from, where the reader stands, and what lies in between.
 *
 *     position (taken) ≤ … buffered … ≤ fetchPosition (asked for next)
 */
export class AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  /** The topic to which the offsets belong; undefined: whichever has the name. */
  topicId: string | undefined;
  /** Changes with every seek: an answer to what was asked before it is dropped. */
  epoch = 0;
  /** Offset to ask for next. */
  fetchPosition: number;
  /** Offset after the last one handed out. */
  position: number;
  paused = false;
  /** Failed and reported: silent until a seek. */
  failed = false;
  /** Being asked for at a broker right now. */
  inFlight = false;
  /** On the monotonic clock: not to be asked for before, after a failure. */
  retryAtMs = 0;
  /** Failures in a row. */
  failures = 0;
  bufferedBytes = 0;
  bounds: PartitionBounds | undefined;
  readonly buffered: FetchedPartition[] = [];

  constructor(topic: string, partition: number, offset: number, topicId: string | undefined) {
    this.topic = topic;
    this.partition = partition;
    this.topicId = topicId;
    this.fetchPosition = offset;
    this.position = offset;
  }

  /** Goes on from another offset and forgets everything that belongs to the old one. */
  seek(offset: number): void {
    this.epoch++;
    this.fetchPosition = offset;
    this.position = offset;
    this.failed = false;
    this.inFlight = false;
    this.retryAtMs = 0;
    this.failures = 0;
    this.bufferedBytes = 0;
    this.bounds = undefined;
    this.buffered.length = 0;
  }

  /** Takes in what has arrived. */
  push(fetched: FetchedPartition): void {
    this.buffered.push(fetched);
    this.bufferedBytes += fetched.byteLength;
    this.fetchPosition = fetched.nextOffset;
    this.failures = 0;
  }

  /** Hands out the oldest. */
  shift(): FetchedPartition | undefined {
    const fetched = this.buffered.shift();
    if (fetched === undefined) return undefined;
    this.bufferedBytes -= fetched.byteLength;
    this.position = fetched.nextOffset;
    return fetched;
  }
}
