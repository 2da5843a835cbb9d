import type { FetchedPartition } from '@millrace/client';
import type { RecordQueue } from './record-queue.ts';

/** What is known of the end of a partition on the broker. Both are those of the `Fetcher`. */
export interface InputProgress {
  /** Offset after the last record that was handed to the task. */
  position(topic: string, partition: number): number;
  /** Undefined while nothing is known of the end: before the first response, and after a failed request. */
  bounds(topic: string, partition: number): { readonly highWatermark: number; readonly lastStableOffset: number } | undefined;
}

export interface PartitionGroupOptions {
  /** Kafka: `max.task.idle.ms`. 0 waits only for what is known, or might be, on the broker; −1 never waits. */
  readonly maxTaskIdleMs: number;
  /** False when uncommitted records are read too: then the high watermark is the end, else the last stable offset. */
  readonly readCommitted: boolean;
  readonly progress: InputProgress;
}

interface ReadAhead {
  readonly queue: RecordQueue;
  /** Offset behind the last record to read. */
  readonly endOffset: number;
}

/**
 * The input queues of a task, and the choice of the next record among them: the one with the lowest timestamp, so that
 * co-partitioned inputs advance together and joins do not see the future. Within a partition offset order always holds.
 *
 * Ties go to the partition that was added first, where Kafka Streams leaves the order open.
 *
 * A table whose topic was compacted before it was read is the exception. Of each key only the last row is left, with a later
 * timestamp than the rows that are gone: by timestamps, records of a time between them would find an even older row, or none.
 * Such a table is read up to where it ended when the gap was found, before anything else.
 *
 * Source: Kafka Streams `PartitionGroup`, KIP-353, KIP-695; reading ahead is our own.
 */
export class PartitionGroup {
  /** Highest timestamp taken from any partition; −1 before the first. */
  streamTime = -1;
  readonly #queues: RecordQueue[] = [];
  /** Beside `#queues`: until when an empty, caught-up partition is waited for; −1 when it is not being waited for. */
  readonly #deadlines: number[] = [];
  readonly #options: PartitionGroupOptions;
  /** Compacted tables that are read before anything else, up to an offset. Nearly always empty. */
  #ahead: ReadAhead[] = [];

  constructor(options: PartitionGroupOptions) {
    this.#options = options;
  }

  get queues(): readonly RecordQueue[] {
    return this.#queues;
  }

  add(queue: RecordQueue): void {
    this.#queues.push(queue);
    this.#deadlines.push(-1);
  }

  /** Drops all records that wait; times go back to the last commit. */
  rollback(): void {
    this.streamTime = -1;
    for (const queue of this.#queues) {
      queue.rollback();
      if (queue.partitionTime > this.streamTime) this.streamTime = queue.partitionTime;
    }
    this.#deadlines.fill(-1);
    this.#ahead = [];
  }

  /** Adds what was fetched to one of the queues. */
  enqueue(queue: RecordQueue, fetched: FetchedPartition): void {
    queue.enqueue(fetched);
    if (!fetched.hasGaps || queue.source.feedsTable !== true) return;
    const endOffset = this.#options.readCommitted ? fetched.lastStableOffset : fetched.highWatermark;
    this.#ahead = [...this.#ahead.filter((one) => one.queue !== queue), { queue, endOffset }];
  }

  get hasRecords(): boolean {
    for (let i = 0; i < this.#queues.length; i++) if ((this.#queues[i] as RecordQueue).hasHead) return true;
    return false;
  }

  /**
   * True when the next record may be taken: every partition has one, or those without have been waited for.
   *
   * A partition that the broker holds more of, or of which that is unknown, is waited for without limit; one that is caught
   * up for `maxTaskIdleMs`.
   */
  isReady(nowMs: number): boolean {
    const idleMs = this.#options.maxTaskIdleMs;
    let hasRecords = false;
    let waits = false;
    for (let i = 0; i < this.#queues.length; i++) {
      const queue = this.#queues[i] as RecordQueue;
      if (queue.hasHead) {
        hasRecords = true;
        this.#deadlines[i] = -1;
      } else if (idleMs >= 0 && this.#mustWaitFor(queue, i, nowMs + idleMs, nowMs)) waits = true;
    }
    return hasRecords && !waits;
  }

  #mustWaitFor(queue: RecordQueue, index: number, deadlineMs: number, nowMs: number): boolean {
    if (!this.#isCaughtUp(queue)) {
      this.#deadlines[index] = -1;
      return true;
    }
    const known = this.#deadlines[index] as number;
    // Further away than one that begins now: the wall clock was put back, and the wait must not last as long as that.
    if (known === -1 || known > deadlineMs) this.#deadlines[index] = deadlineMs;
    return nowMs < (this.#deadlines[index] as number);
  }

  #isCaughtUp(queue: RecordQueue): boolean {
    const { progress, readCommitted } = this.#options;
    const bounds = progress.bounds(queue.topic, queue.partition);
    if (bounds === undefined) return false;
    return progress.position(queue.topic, queue.partition) >= (readCommitted ? bounds.lastStableOffset : bounds.highWatermark);
  }

  /**
   * When the group might become ready although nothing arrives; Infinity when only new data can change that: nothing waits, or
   * the partitions without records have been waited for already. Valid after {@link isReady} of the same moment.
   */
  idleDeadlineMs(nowMs: number): number {
    let earliest = Infinity;
    if (!this.hasRecords) return earliest;
    for (const deadline of this.#deadlines) if (deadline > nowMs && deadline < earliest) earliest = deadline;
    return earliest;
  }

  /**
   * Takes the record with the lowest timestamp: it stays the head of its queue until `advance`.
   *
   * @returns its queue, or `undefined` when no partition has a record
   */
  take(): RecordQueue | undefined {
    const chosen = (this.#ahead.length === 0 ? undefined : this.#nextAhead()) ?? this.#lowest();
    if (chosen === undefined) return undefined;
    chosen.take();
    if (chosen.timestamp > this.streamTime) this.streamTime = chosen.timestamp;
    return chosen;
  }

  #lowest(): RecordQueue | undefined {
    let lowest: RecordQueue | undefined;
    for (let i = 0; i < this.#queues.length; i++) {
      const queue = this.#queues[i] as RecordQueue;
      if (queue.hasHead && (lowest === undefined || queue.timestamp < lowest.timestamp)) lowest = queue;
    }
    return lowest;
  }

  /** A compacted table with a record to read ahead; those that have got to their end are let go. */
  #nextAhead(): RecordQueue | undefined {
    for (let i = this.#ahead.length - 1; i >= 0; i--) {
      const { queue, endOffset } = this.#ahead[i] as ReadAhead;
      if ((queue.nextOffset ?? 0) >= endOffset) this.#ahead.splice(i, 1);
      else if (queue.hasHead) return queue;
    }
    return undefined;
  }
}
