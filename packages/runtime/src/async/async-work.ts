import type { Clock, RecordContext } from '@millrace/core';
import type { AsyncLane, AsyncOperator, AsyncSettings } from '@millrace/topology';
import type { KeptRecord, SourceRecords } from '../task/source-records.ts';
import type { AsyncRecord } from './async-record.ts';
import { type LaneOwner, TaskAsyncLane } from './task-async-lane.ts';

/** What the asynchronous operators need of their task. */
export interface AsyncWorkOptions {
  readonly clock: Clock;
  readonly recordContext: RecordContext;
  /** The bytes that input records came as, for error handlers. */
  readonly sources: Pick<SourceRecords, 'keep' | 'resume'>;
  readonly onRetry: (node: string, record: AsyncRecord, error: unknown) => void;
  readonly onProcessingError: (node: string, error: unknown, key: unknown, value: unknown) => void;
}

/**
 * The asynchronous operators of a task together: what they hold, what of it can be forwarded, and for what the task waits.
 *
 * Calls end whenever they like; their results lie here until the task's loop fetches them.
 */
export class AsyncWork implements LaneOwner {
  readonly clock: Clock;
  readonly recordContext: RecordContext;
  /** Records that were taken and not forwarded yet. */
  held = 0;
  /** Functions of the user that are running. What is held beyond them waits: for its turn, for a retry, to be forwarded. */
  openCalls = 0;
  /** True while an operator holds as many records as it may: the task then takes no more. Read once per record. */
  isFull = false;
  readonly #options: AsyncWorkOptions;
  /** In the order of the nodes: parents before children. */
  readonly #lanes: TaskAsyncLane[] = [];
  #fullLanes = 0;
  #progress: Promise<void> | undefined;
  #announce: (() => void) | undefined;

  constructor(options: AsyncWorkOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.recordContext = options.recordContext;
  }

  addLane(node: string, operator: AsyncOperator, settings: AsyncSettings): AsyncLane {
    const lane = new TaskAsyncLane(node, operator, settings, this);
    this.#lanes.push(lane);
    return lane;
  }

  /** True when a result can be forwarded: not while it would go to an operator that is full. */
  get isReady(): boolean {
    return this.#lanes.some((lane, index) => lane.isReady && !this.#isFullBelow(index));
  }

  /** Resolves when the next call has ended, for good or before a retry, or everything was abandoned. Never rejects. */
  get progress(): Promise<void> {
    this.#progress ??= new Promise((resolve) => {
      this.#announce = resolve;
    });
    return this.#progress;
  }

  /**
   * Forwards what has come in: operators at the end of the topology first, and those above only while none below is full, so
   * that no operator holds more than it may on account of another one.
   *
   * @param mayGoOn asked before each result; false when the task has to wait for something else first
   * @returns how many results were forwarded
   * @throws what stops the task
   */
  forward(mayGoOn: () => boolean): number {
    let forwarded = 0;
    for (let i = this.#lanes.length - 1; i >= 0; i--) {
      const lane = this.#lanes[i] as TaskAsyncLane;
      while (lane.isReady && mayGoOn() && !this.#isFullBelow(i)) {
        lane.forwardNext();
        forwarded++;
      }
    }
    return forwarded;
  }

  #isFullBelow(index: number): boolean {
    if (!this.isFull) return false;
    for (let i = index + 1; i < this.#lanes.length; i++) if ((this.#lanes[i] as TaskAsyncLane).isFull) return true;
    return false;
  }

  /** Aborts every call and forgets the records; new lanes may be added afterwards. */
  abandon(why: string): void {
    if (this.#lanes.length === 0) return;
    const reason = new DOMException(why, 'AbortError');
    for (const lane of this.#lanes.splice(0)) lane.abandon(reason);
    this.onProgress();
  }

  // ---- as seen by lanes ----

  onHeld(change: 1 | -1): void {
    this.held += change;
  }

  onOpenCalls(change: 1 | -1): void {
    this.openCalls += change;
  }

  onFull(change: 1 | -1): void {
    this.#fullLanes += change;
    this.isFull = this.#fullLanes > 0;
  }

  onProgress(): void {
    this.#announce?.();
    this.#announce = undefined;
    this.#progress = undefined;
  }

  keepSource(): KeptRecord | undefined {
    return this.#options.sources.keep();
  }

  resumeSource(source: KeptRecord | undefined): void {
    this.#options.sources.resume(source);
  }

  onRetry(node: string, record: AsyncRecord, error: unknown): void {
    this.#options.onRetry(node, record, error);
  }

  onProcessingError(node: string, error: unknown, key: unknown, value: unknown): void {
    this.#options.onProcessingError(node, error, key, value);
  }
}
