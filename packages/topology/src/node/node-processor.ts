import type { Headers, Logger, RecordContext } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { Cancellable, PunctuationType, Punctuator } from '../processor/processor.ts';
import type { AsyncLane, AsyncOperator, AsyncSettings } from './async-operator.ts';

/**
 * What runs inside a processor node: the form in which the DSL's operators are written.
 *
 * A record is five plain arguments, not an object, so that a chain of operators allocates nothing. On a table edge `value` is
 * the new value, `oldValue` the one before (when the node below asked for it) and `isLatest` says whether it is the newest by
 * time (false only for late updates of versioned tables); on a stream edge the last two are `undefined` and `true`.
 */
export interface NodeProcessor {
  init(context: NodeContext): void;
  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void;
  close?(): void;
}

/** One instance per task: it must return a new object each time. */
export type NodeProcessorSupplier = () => NodeProcessor;

/** What a node gives its processor. */
export interface NodeContext {
  readonly nodeName: string;
  readonly applicationId: string;
  readonly taskId: string;
  readonly logger: Logger;
  /** The record being processed; mutable and shared by the whole task. */
  readonly recordContext: RecordContext;
  /** Names of the children, in the order in which they were added. */
  readonly childNames: readonly string[];
  /** To all children in order, depth first; returns when the whole subtree is done. */
  forward(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void;
  /** To the child of that index in `childNames`. */
  forwardTo(
    child: number,
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: Headers,
    oldValue: unknown,
    isLatest: boolean,
  ): void;
  /** @throws TopologyError unless the store is connected to this node, or global */
  getStore<S = StateStore>(name: string): S;
  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable;
  commit(): void;
  streamTimeMs(): number;
  systemTimeMs(): number;
  /** Counts a record as dropped and logs it at WARN. The reason is a short fixed text: it becomes a metric label. */
  dropped(reason: string): void;
  /** The task waits for this before it takes the next record, punctuates or commits. */
  waitFor(pending: Promise<void>): void;
  /**
   * For failures after `process` has returned, in asynchronous code: lets the task decide about the record. Returns when it
   * goes on without the record, throws when it stops. A harness that runs single operators may lack it.
   */
  onAsyncError?(error: unknown, key: unknown, value: unknown): void;
  /**
   * Opens the lane of an asynchronous operator; see `openAsyncLane`. Absent, or `undefined`, where nothing asynchronous can run.
   */
  asyncLane?(operator: AsyncOperator, settings: AsyncSettings): AsyncLane | undefined;
  /** Milliseconds of wall clock between two emissions of closed windows and of expired outer-join records. */
  readonly emitIntervalMs: number;
}
