import { FatalStreamsError, type Headers, type Logger, type Record, type RecordMetadata, TopologyError } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { NodeContext } from '../node/node-processor.ts';
import type {
  Cancellable,
  FixedKeyProcessorContext,
  FixedKeyRecord,
  ProcessorContext,
  PunctuationType,
  Punctuator,
} from './processor.ts';
import { assertTimestamp, FixedKeyStreamRecord, StreamRecord } from './stream-record.ts';
import { restoreContext, type SavedContext, saveContext } from './waiting-records.ts';

/** What both kinds of user processors see of their surroundings. */
class UserContext {
  protected readonly node: NodeContext;
  /** Calls of `process` and of punctuators that have not finished; records may be forwarded only during one. */
  #running = 0;
  /** Context of the record whose `process` returned a promise that is still open. */
  #asyncRecord: SavedContext | undefined;

  constructor(node: NodeContext) {
    this.node = node;
  }

  get applicationId(): string {
    return this.node.applicationId;
  }

  get taskId(): string {
    return this.node.taskId;
  }

  get logger(): Logger {
    return this.node.logger;
  }

  recordMetadata(): RecordMetadata | undefined {
    const { topic, partition, offset } = this.#asyncRecord ?? this.node.recordContext;
    return topic === undefined ? undefined : { topic, partition, offset };
  }

  getStateStore<S = StateStore>(name: string): S {
    return this.node.getStore<S>(name);
  }

  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable {
    return this.node.schedule(intervalMs, type, (timestamp) => this.#punctuate(punctuator, timestamp));
  }

  commit(): void {
    this.node.commit();
  }

  currentStreamTimeMs(): number {
    return this.node.streamTimeMs();
  }

  currentSystemTimeMs(): number {
    return this.node.systemTimeMs();
  }

  // ---- for the processor's node ----

  begin(): void {
    this.#running++;
  }

  end(): void {
    this.#running--;
  }

  /** The record being processed goes on asynchronously: its context is needed later. */
  beginAsync(context: SavedContext): void {
    this.#asyncRecord = context;
  }

  endAsync(): void {
    this.#asyncRecord = undefined;
  }

  protected send(key: unknown, value: unknown, timestamp: number, headers: Headers, childName: string | undefined): void {
    if (this.#running === 0) {
      throw new FatalStreamsError(
        'FORWARD_OUTSIDE_PROCESS',
        'forward was called while no record is processed and no punctuator runs; call it from process or a punctuator, and return the promise of what goes on asynchronously',
        { taskId: this.taskId, node: this.node.nodeName },
      );
    }
    assertTimestamp(timestamp);
    const own = this.#asyncRecord;
    if (own === undefined) {
      this.#sendNow(key, value, timestamp, headers, childName);
      return;
    }
    const { recordContext } = this.node;
    const others = saveContext(recordContext);
    restoreContext(recordContext, own);
    this.#sendNow(key, value, timestamp, headers, childName);
    restoreContext(recordContext, others);
  }

  #sendNow(key: unknown, value: unknown, timestamp: number, headers: Headers, childName: string | undefined): void {
    if (childName === undefined) {
      this.node.forward(key, value, timestamp, headers, undefined, true);
      return;
    }
    const child = this.node.childNames.indexOf(childName);
    if (child < 0) {
      const children = this.node.childNames.join(', ') || 'none';
      throw new TopologyError(
        'UNKNOWN_CHILD',
        `forward to ${childName}, which is not a child of this node; its children: ${children}`,
        {
          taskId: this.taskId,
          node: this.node.nodeName,
        },
      );
    }
    this.node.forwardTo(child, key, value, timestamp, headers, undefined, true);
  }

  #punctuate(punctuator: Punctuator, timestamp: number): void | Promise<void> {
    this.begin();
    let pending: Promise<void> | undefined;
    try {
      const result = punctuator(timestamp);
      if (result !== undefined) pending = result.finally(() => this.end());
      return pending;
    } finally {
      if (pending === undefined) this.end();
    }
  }
}

/** The context of a `Processor`. */
export class UserProcessorContext extends UserContext implements ProcessorContext<unknown, unknown> {
  forward(record: Record<unknown, unknown>, childName?: string): void {
    this.send(record.key, record.value, record.timestamp, record.headers, childName);
  }

  record<K, V>(key: K, value: V, timestamp: number, headers?: Headers): Record<K, V> {
    return new StreamRecord(key, value, timestamp, headers);
  }
}

/** The context of a `FixedKeyProcessor`. */
export class UserFixedKeyContext extends UserContext implements FixedKeyProcessorContext<unknown, unknown> {
  forward(record: FixedKeyRecord<unknown, unknown>, childName?: string): void {
    if (!(record instanceof FixedKeyStreamRecord)) {
      throw new FatalStreamsError(
        'FOREIGN_RECORD',
        'forward was given a record of your own making; derive it from the one received (withValue, withTimestamp, withHeaders), so that the key stays',
        { taskId: this.taskId, node: this.node.nodeName },
      );
    }
    this.send(record.key, record.value, record.timestamp, record.headers, childName);
  }
}
