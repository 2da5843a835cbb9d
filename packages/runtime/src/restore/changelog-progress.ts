import type { Clock } from '@millrace/core';
import type { RestoreProgress } from './restore-listener.ts';

/** How far one changelog partition has been restored. */
export class ChangelogProgress implements RestoreProgress {
  readonly taskId: string;
  readonly store: string;
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #startedMs: number;
  #currentOffset: number;
  #restoredRecords = 0;
  #restoredBytes = 0;

  constructor(
    where: { taskId: string; store: string; topic: string; partition: number },
    startOffset: number,
    endOffset: number,
    clock: Pick<Clock, 'monotonicMs'>,
  ) {
    this.taskId = where.taskId;
    this.store = where.store;
    this.topic = where.topic;
    this.partition = where.partition;
    this.startOffset = startOffset;
    this.endOffset = endOffset;
    this.#currentOffset = startOffset;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  /** The position moves on, over so many records and bytes. */
  advance(nextOffset: number, records: number, bytes: number): void {
    this.#currentOffset = nextOffset;
    this.#restoredRecords += records;
    this.#restoredBytes += bytes;
  }

  get currentOffset(): number {
    return this.#currentOffset;
  }

  get restoredRecords(): number {
    return this.#restoredRecords;
  }

  get restoredBytes(): number {
    return this.#restoredBytes;
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  get recordsPerSecond(): number {
    const { elapsedMs } = this;
    return elapsedMs <= 0 ? 0 : (this.#restoredRecords / elapsedMs) * 1000;
  }

  get remainingMs(): number | undefined {
    if (this.done) return 0;
    const passed = this.#currentOffset - this.startOffset;
    return passed <= 0 ? undefined : (this.elapsedMs / passed) * (this.endOffset - this.#currentOffset);
  }

  /** The position has reached the end that the changelog had when restoring began. */
  get done(): boolean {
    return this.#currentOffset >= this.endOffset;
  }
}
