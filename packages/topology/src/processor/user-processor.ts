import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '../node/node-processor.ts';
import type { FixedKeyProcessorSupplier, ProcessorSupplier } from './processor.ts';
import { FixedKeyStreamRecord, StreamRecord } from './stream-record.ts';
import { UserFixedKeyContext, UserProcessorContext } from './user-processor-context.ts';
import { restoreContext, type SavedContext, saveContext, type WaitingRecord } from './waiting-records.ts';

/** The two kinds of user processors, seen alike. */
interface UserProcessor<C, R> {
  init?(context: C): void;
  process(record: R): void | Promise<void>;
  close?(): void;
}

/** Where the two kinds differ. */
interface UserProcessorKind<C extends UserProcessorContext | UserFixedKeyContext, R> {
  readonly context: new (node: NodeContext) => C;
  createRecord(key: unknown, value: unknown, timestamp: number, headers: Headers): R;
}

const processorKind: UserProcessorKind<UserProcessorContext, StreamRecord<unknown, unknown>> = {
  context: UserProcessorContext,
  createRecord: (key, value, timestamp, headers) => new StreamRecord(key, value, timestamp, headers),
};

const fixedKeyKind: UserProcessorKind<UserFixedKeyContext, FixedKeyStreamRecord<unknown, unknown>> = {
  context: UserFixedKeyContext,
  createRecord: (key, value, timestamp, headers) => new FixedKeyStreamRecord(new StreamRecord(key, value, timestamp, headers)),
};

/** Lets a user's `Processor` run in a node. */
export function processorNodeSupplier<KIn, VIn, KOut, VOut>(
  supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
): NodeProcessorSupplier {
  type Erased = UserProcessor<UserProcessorContext, StreamRecord<unknown, unknown>>;
  return () => new UserProcessorNode(supplier() as unknown as Erased, processorKind);
}

/** Lets a user's `FixedKeyProcessor` run in a node. */
export function fixedKeyNodeSupplier<KIn, VIn, VOut>(supplier: FixedKeyProcessorSupplier<KIn, VIn, VOut>): NodeProcessorSupplier {
  type Erased = UserProcessor<UserFixedKeyContext, FixedKeyStreamRecord<unknown, unknown>>;
  return () => new UserProcessorNode(supplier() as unknown as Erased, fixedKeyKind);
}

/**
 * Runs a user's processor in a node. Here, and only here, records are objects.
 *
 * When `process` returns a promise the task waits for it before it takes its next record. Records that the current one causes
 * meanwhile (a `flatMap` above) queue here and are processed one by one, in order, before the task goes on.
 */
class UserProcessorNode<C extends UserProcessorContext | UserFixedKeyContext, R> implements NodeProcessor {
  readonly #processor: UserProcessor<C, R>;
  readonly #kind: UserProcessorKind<C, R>;
  #node!: NodeContext;
  #context!: C;
  /** Records that came while a promise was open; `undefined` while none is. */
  #waiting: WaitingRecord[] | undefined;

  constructor(processor: UserProcessor<C, R>, kind: UserProcessorKind<C, R>) {
    this.#processor = processor;
    this.#kind = kind;
  }

  init(node: NodeContext): void {
    this.#node = node;
    this.#context = new this.#kind.context(node);
    this.#processor.init?.(this.#context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push({ key, value, timestamp, headers, context: saveContext(this.#node.recordContext) });
      return;
    }
    const pending = this.#call(key, value, timestamp, headers);
    if (pending === undefined) return;
    this.#waiting = [];
    this.#node.waitFor(this.#finish(pending, key, value, saveContext(this.#node.recordContext)));
  }

  close(): void {
    this.#processor.close?.();
  }

  #call(key: unknown, value: unknown, timestamp: number, headers: Headers): Promise<void> | undefined {
    this.#context.begin();
    let pending: Promise<void> | undefined;
    try {
      const result = this.#processor.process(this.#kind.createRecord(key, value, timestamp, headers));
      if (isPromise(result)) pending = result;
      return pending;
    } finally {
      if (pending === undefined) this.#context.end();
    }
  }

  /** Sees the open promise through, then the records that queued behind it. */
  async #finish(pending: Promise<void>, key: unknown, value: unknown, context: SavedContext): Promise<void> {
    try {
      await this.#settle(pending, key, value, context);
      for (let next = this.#waiting?.shift(); next !== undefined; next = this.#waiting?.shift()) await this.#processWaiting(next);
    } finally {
      this.#waiting = undefined;
    }
  }

  async #processWaiting(record: WaitingRecord): Promise<void> {
    restoreContext(this.#node.recordContext, record.context);
    let pending: Promise<void> | undefined;
    try {
      pending = this.#call(record.key, record.value, record.timestamp, record.headers);
    } catch (error) {
      this.#fail(error, record.key, record.value);
    }
    if (pending !== undefined) await this.#settle(pending, record.key, record.value, record.context);
  }

  async #settle(pending: Promise<void>, key: unknown, value: unknown, context: SavedContext): Promise<void> {
    this.#context.beginAsync(context);
    try {
      await pending;
    } catch (error) {
      restoreContext(this.#node.recordContext, context);
      this.#fail(error, key, value);
    } finally {
      this.#context.endAsync();
      this.#context.end();
    }
  }

  #fail(error: unknown, key: unknown, value: unknown): void {
    if (this.#node.onAsyncError === undefined) throw error;
    this.#node.onAsyncError(error, key, value);
  }
}

function isPromise(result: unknown): result is Promise<void> {
  return typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function';
}
