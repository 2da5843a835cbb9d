import { ProcessingError, type Headers, type Record, type RecordContext, type RecordMetadata } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '../node/node-processor.ts';
import { AsyncRecords } from './async-records.ts';
import type {
  Cancellable,
  FixedKeyProcessorContext,
  FixedKeyProcessorSupplier,
  FixedKeyRecord,
  ProcessorContext,
  ProcessorSupplier,
  PunctuationType,
  Punctuator,
} from './processor.ts';
import { assertFresh, ProcessorRecord } from './records.ts';

/** What both kinds of user-defined processors have in common. */
interface UserCode {
  init?(context: ProcessorContext<unknown, unknown> & FixedKeyProcessorContext<unknown, unknown>): void;
  process(record: Record<unknown, unknown> & FixedKeyRecord<unknown, unknown>): void | Promise<void>;
  close?(): void;
}

/**
 * Runs a user-defined processor inside a node. Record objects exist only from here on.
 *
 * @param supplier called once per task
 */
export function processorOperator(supplier: ProcessorSupplier<never, never, unknown, unknown>): NodeProcessorSupplier {
  const made = new WeakSet<object>();
  return () => new UserProcessor(supplier() as UserCode, made);
}

/** The same for a processor that keeps the key. */
export function fixedKeyProcessorOperator(supplier: FixedKeyProcessorSupplier<never, never, unknown>): NodeProcessorSupplier {
  const made = new WeakSet<object>();
  return () => new UserProcessor(supplier() as UserCode, made);
}

class UserProcessor implements NodeProcessor {
  readonly #user: UserCode;
  readonly #made: WeakSet<object>;
  #context: UserContext | undefined;
  #records: AsyncRecords | undefined;

  constructor(user: UserCode, made: WeakSet<object>) {
    this.#user = user;
    this.#made = made;
  }

  init(context: NodeContext): void {
    assertFresh(this.#user, this.#made, context.nodeName);
    const own = new UserContext(context);
    this.#context = own;
    this.#records = new AsyncRecords(context, (key, value, timestamp, headers) => this.#call(own, key, value, timestamp, headers));
    this.#user.init?.(own);
    own.started = true;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    (this.#records as AsyncRecords).process(key, value, timestamp, headers);
  }

  close(): void {
    this.#user.close?.();
  }

  #call(context: UserContext, key: unknown, value: unknown, timestamp: number, headers: Headers): void | Promise<void> {
    context.processing++;
    let result: void | Promise<void>;
    try {
      result = this.#user.process(new ProcessorRecord(key, value, timestamp, headers));
    } catch (error) {
      context.processing--;
      throw error;
    }
    if (result === undefined) {
      context.processing--;
      return undefined;
    }
    return result.finally(() => {
      context.processing--;
    });
  }
}

class UserContext implements ProcessorContext<unknown, unknown>, FixedKeyProcessorContext<unknown, unknown> {
  readonly #node: NodeContext;
  /** True once `init` has returned. */
  started = false;
  /** How many calls of user code are under way: forwarding is allowed only inside one. */
  processing = 0;

  constructor(node: NodeContext) {
    this.#node = node;
  }

  get applicationId(): string {
    return this.#node.applicationId;
  }

  get taskId(): string {
    return this.#node.taskId;
  }

  get logger(): NodeContext['logger'] {
    return this.#node.logger;
  }

  recordMetadata(): RecordMetadata | undefined {
    const { topic, partition, offset } = this.#node.recordContext;
    return topic === undefined ? undefined : { topic, partition, offset };
  }

  getStateStore<S = StateStore>(name: string): S {
    return this.#node.getStore<S>(name);
  }

  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable {
    return this.#node.schedule(intervalMs, type, (timestamp) => this.#punctuate(punctuator, timestamp));
  }

  commit(): void {
    this.#node.commit();
  }

  currentStreamTimeMs(): number {
    return this.#node.streamTimeMs();
  }

  currentSystemTimeMs(): number {
    return this.#node.systemTimeMs();
  }

  record<K, V>(key: K, value: V, timestamp: number, headers: Headers = []): Record<K, V> {
    return new ProcessorRecord(key, value, timestamp, headers);
  }

  forward(record: Record<unknown, unknown> | FixedKeyRecord<unknown, unknown>, childName?: string): void {
    if (this.processing === 0) {
      throw new ProcessingError('FORWARD_OUTSIDE_PROCESS', 'forward was called outside process and punctuators; forward from inside them, or return a promise that ends later', {
        node: this.#node.nodeName,
      });
    }
    const child = childName === undefined ? -1 : this.#childIndex(childName);
    const context = this.#node.recordContext;
    const { timestamp, headers } = context;
    context.timestamp = record.timestamp;
    context.headers = record.headers;
    if (child < 0) this.#node.forward(record.key, record.value, record.timestamp, record.headers, undefined, true);
    else this.#node.forwardTo(child, record.key, record.value, record.timestamp, record.headers, undefined, true);
    restore(context, timestamp, headers);
  }

  #childIndex(name: string): number {
    const index = this.#node.childNames.indexOf(name);
    if (index >= 0) return index;
    throw new ProcessingError('UNKNOWN_CHILD', `there is no child named ${name}; the children are ${this.#node.childNames.join(', ') || 'none'}`, { node: this.#node.nodeName });
  }

  #punctuate(punctuator: Punctuator, timestamp: number): void | Promise<void> {
    this.processing++;
    let result: void | Promise<void>;
    try {
      result = punctuator(timestamp);
    } catch (error) {
      this.processing--;
      throw error;
    }
    if (result !== undefined) {
      return result.finally(() => {
        this.processing--;
      });
    }
    this.processing--;
    return undefined;
  }
}

function restore(context: RecordContext, timestamp: number, headers: Headers): void {
  context.timestamp = timestamp;
  context.headers = headers;
}
