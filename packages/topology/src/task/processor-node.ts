import { StreamsError, TopologyError, type Headers, type Logger, type RecordContext } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { NodeContext, NodeProcessor } from '../node/node-processor.ts';
import type { TaskPort } from '../node/task-port.ts';
import type { Cancellable, PunctuationType, Punctuator } from '../processor/processor.ts';

/** What a node forwards to. */
export interface Receiver {
  readonly name: string;
  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void;
}

/**
 * A processor at its place in a task: forwards to the children, decides who hears about errors.
 *
 * An error is reported at the node that threw it. If the handler goes on, the record is dropped there, `process` returns as if
 * nothing had happened, and the siblings still run; if not, the error passes through the nodes above untouched.
 */
export class ProcessorNode implements NodeContext, Receiver {
  readonly name: string;
  readonly #task: TaskPort;
  readonly #processor: NodeProcessor;
  readonly #stores: ReadonlySet<string>;
  readonly #globalStores: ReadonlySet<string>;
  #children: readonly Receiver[] = [];
  #childNames: readonly string[] = [];

  constructor(name: string, processor: NodeProcessor, task: TaskPort, stores: ReadonlySet<string>, globalStores: ReadonlySet<string>) {
    this.name = name;
    this.#processor = processor;
    this.#task = task;
    this.#stores = stores;
    this.#globalStores = globalStores;
  }

  connect(children: readonly Receiver[]): void {
    this.#children = children;
    this.#childNames = children.map((child) => child.name);
  }

  init(): void {
    this.#processor.init(this);
  }

  close(): void {
    this.#processor.close?.();
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    try {
      this.#processor.process(key, value, timestamp, headers, oldValue, isLatest);
    } catch (error) {
      // Errors of the framework were decided about where they arose, or are not about this record at all.
      if (error instanceof StreamsError) throw error;
      this.#task.onProcessingError(this.name, error, key, value);
    }
  }

  forward(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const children = this.#children;
    for (let i = 0; i < children.length; i++) {
      (children[i] as Receiver).process(key, value, timestamp, headers, oldValue, isLatest);
    }
  }

  forwardTo(child: number, key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    (this.#children[child] as Receiver).process(key, value, timestamp, headers, oldValue, isLatest);
  }

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

  get recordContext(): RecordContext {
    return this.#task.recordContext;
  }

  get childNames(): readonly string[] {
    return this.#childNames;
  }

  get emitIntervalMs(): number {
    return this.#task.emitIntervalMs;
  }

  getStore<S = StateStore>(name: string): S {
    if (!this.#stores.has(name) && !this.#globalStores.has(name)) {
      throw new TopologyError(
        'STORE_NOT_CONNECTED',
        `the store ${name} is not connected to this processor; name it among the stores of process(), or connect it with connectProcessorAndStateStores`,
        { taskId: this.taskId, node: this.name, store: name },
      );
    }
    return this.#task.store(name) as S;
  }

  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable {
    if (!Number.isFinite(intervalMs) || intervalMs < 1) {
      throw new TopologyError('INVALID_INTERVAL', `a punctuation interval must be at least 1 ms, not ${intervalMs}`, { node: this.name });
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
    this.#task.waitFor(pending);
  }

  /** For asynchronous processors: the handler decides about an error that came after `process` had returned. */
  onAsyncError(error: unknown, key: unknown, value: unknown): void {
    if (error instanceof StreamsError) throw error;
    this.#task.onProcessingError(this.name, error, key, value);
  }
}

