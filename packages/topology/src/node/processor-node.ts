import { type Headers, type Logger, type RecordContext, StreamsError, TopologyError } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { ProcessorSpec } from '../plan/specs.ts';
import type { Cancellable, PunctuationType, Punctuator } from '../processor/processor.ts';
import type { AsyncLane, AsyncOperator, AsyncSettings } from './async-operator.ts';
import type { NodeContext, NodeProcessor } from './node-processor.ts';
import type { RecordReceiver } from './record-receiver.ts';
import type { TaskPort } from './task-port.ts';

/** Which stores a node may use, and which it may not although they are there. */
export interface StoreAccess {
  readonly connected: ReadonlySet<string>;
  /** Stores of the task, connected to this node or not. */
  readonly all: ReadonlySet<string>;
}

/**
 * A processor in its place: receives from its parents, forwards to its children, and is where an error of its processor stops.
 *
 * Errors thrown by the processor go to the task, which decides whether the record is skipped. StreamsErrors have been decided
 * about already (by a node below, a store, a sink) and pass.
 */
export class ProcessorNode implements RecordReceiver, NodeContext {
  readonly name: string;
  readonly recordContext: RecordContext;
  readonly childNames: string[] = [];
  readonly #task: TaskPort;
  readonly #processor: NodeProcessor;
  readonly #stores: StoreAccess;
  readonly #children: RecordReceiver[] = [];
  /** The child, when there is exactly one: most nodes have, and need no loop then. */
  #onlyChild: RecordReceiver | undefined;

  constructor(spec: ProcessorSpec, task: TaskPort, stores: StoreAccess) {
    this.name = spec.name;
    this.#task = task;
    this.recordContext = task.recordContext;
    this.#stores = stores;
    this.#processor = spec.supplier();
  }

  // ---- as seen by the task ----

  addChild(child: RecordReceiver): void {
    this.#children.push(child);
    this.childNames.push(child.name);
    this.#onlyChild = this.#children.length === 1 ? child : undefined;
  }

  init(): void {
    this.#processor.init(this);
  }

  close(): void {
    this.#processor.close?.();
  }

  // ---- as seen by parents ----

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    try {
      this.#processor.process(key, value, timestamp, headers, oldValue, isLatest);
    } catch (error) {
      this.onAsyncError(error, key, value);
    }
  }

  // ---- as seen by the processor ----

  get nodeName(): string {
    return this.name;
  }

  get applicationId(): string {
    return this.#task.applicationId;
  }

  get taskId(): string {
    return this.#task.taskId;
  }

  get logger(): Logger {
    return this.#task.logger;
  }

  get emitIntervalMs(): number {
    return this.#task.emitIntervalMs;
  }

  forward(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const context = this.recordContext;
    if (timestamp !== context.timestamp || headers !== context.headers) {
      this.#forwardAs(undefined, key, value, timestamp, headers, oldValue, isLatest);
      return;
    }
    const only = this.#onlyChild;
    if (only !== undefined) only.process(key, value, timestamp, headers, oldValue, isLatest);
    else this.#forwardToAll(key, value, timestamp, headers, oldValue, isLatest);
  }

  forwardTo(
    child: number,
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: Headers,
    oldValue: unknown,
    isLatest: boolean,
  ): void {
    const receiver = this.#children[child];
    if (receiver === undefined)
      throw new TopologyError('UNKNOWN_CHILD', `there is no child number ${child}`, { node: this.name });
    const context = this.recordContext;
    if (timestamp !== context.timestamp || headers !== context.headers) {
      this.#forwardAs(receiver, key, value, timestamp, headers, oldValue, isLatest);
    } else {
      receiver.process(key, value, timestamp, headers, oldValue, isLatest);
    }
  }

  getStore<S = StateStore>(name: string): S {
    if (this.#stores.connected.has(name)) return this.#task.store(name) as S;
    if (this.#stores.all.has(name)) throw this.#notConnected(name);
    // Neither connected nor part of the task: a global store, or nothing that can be reached from here.
    try {
      return this.#task.store(name) as S;
    } catch (error) {
      throw this.#notConnected(name, error);
    }
  }

  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable {
    if (!(intervalMs >= 1)) {
      throw new TopologyError(
        'INVALID_INTERVAL',
        `a punctuation every ${intervalMs} ms is not possible; the interval is at least 1 ms`,
        {
          node: this.name,
        },
      );
    }
    return this.#task.schedule(this.name, intervalMs, type, punctuator);
  }

  commit(): void {
    this.#task.requestCommit();
  }

  streamTimeMs(): number {
    return this.#task.streamTimeMs();
  }

  systemTimeMs(): number {
    return this.#task.systemTimeMs();
  }

  dropped(reason: string): void {
    this.#task.dropped(this.name, reason);
  }

  waitFor(pending: Promise<void>): void {
    this.#task.waitFor(pending, this.name);
  }

  onAsyncError(error: unknown, key: unknown, value: unknown): void {
    if (error instanceof StreamsError) throw error;
    this.#task.onProcessingError(this.name, error, key, value);
  }

  asyncLane(operator: AsyncOperator, settings: AsyncSettings): AsyncLane | undefined {
    return this.#task.asyncLane?.(this.name, operator, settings);
  }

  #forwardToAll(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const children = this.#children;
    for (let i = 0; i < children.length; i++) {
      (children[i] as RecordReceiver).process(key, value, timestamp, headers, oldValue, isLatest);
    }
  }

  /** While a record with another timestamp or other headers is processed below, the context shows these. */
  #forwardAs(
    child: RecordReceiver | undefined,
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: Headers,
    oldValue: unknown,
    isLatest: boolean,
  ): void {
    const context = this.recordContext;
    const outerTimestamp = context.timestamp;
    const outerHeaders = context.headers;
    context.timestamp = timestamp;
    context.headers = headers;
    // Not restored when this throws: the task then gives the record up, and sets the context anew with the next one.
    if (child !== undefined) child.process(key, value, timestamp, headers, oldValue, isLatest);
    else this.#forwardToAll(key, value, timestamp, headers, oldValue, isLatest);
    context.timestamp = outerTimestamp;
    context.headers = outerHeaders;
  }

  #notConnected(store: string, cause?: unknown): TopologyError {
    return new TopologyError(
      'STORE_NOT_CONNECTED',
      `processor ${this.name} has no access to store ${store}; name the store where the processor is added ` +
        '(option `stores` of process and addProcessor, or `stores` of the supplier), or connect it with connectProcessorAndStateStores',
      { taskId: this.taskId, node: this.name, store, cause },
    );
  }
}
