/**
 * Runs operators without a topology, for their tests: a node context that collects what is forwarded, and opened stores.
 *
 * @module
 */
import { type Headers, NO_HEADERS, RecordContext, silentLogger } from '@millrace/core';
import { memoryEngine, type StateDatabase, type StateStore, type StoreBuilder, WriteBatch } from '@millrace/state';
import type { AsyncOperator, NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';

/** A forwarded record; fields without content are left out, so that expectations stay short. */
export interface Forwarded {
  readonly key: unknown;
  readonly value: unknown;
  readonly at: number;
  readonly old?: unknown;
  readonly headers?: Headers;
  readonly child?: number;
}

/** One task: nodes that share a record context, a clock and stores. */
export class OperatorHarness {
  readonly forwarded: Forwarded[] = [];
  readonly dropped: string[] = [];
  emitIntervalMs = 0;
  /** Calls of asynchronous operators, in the order in which they were made. */
  readonly calls: Promise<void>[] = [];
  wallClockMs = 0;
  readonly #recordContext = new RecordContext();
  readonly #stores = new Map<string, StateStore>();
  readonly #batch = new WriteBatch();
  readonly #pending: Promise<void>[] = [];
  #database: StateDatabase | undefined;

  /** Opens a store of the task; `caching` lets stores that want it hold updates back until `commit`. */
  async open<S extends StateStore>(builder: StoreBuilder<S>, options: { readonly caching?: boolean } = {}): Promise<S> {
    this.#database ??= await memoryEngine().open({ directory: 'harness', taskId: '0_0', logger: silentLogger });
    const store = builder.build();
    this.#stores.set(builder.name, store);
    await store.open({
      database: this.#database,
      storeId: this.#stores.size,
      changelogTopic: `${builder.name}-changelog`,
      recordContext: this.#recordContext,
      cleanCacheBytes: 1_000_000,
      cachingAllowed: options.caching ?? false,
      onExpiredRecord: () => undefined,
      logger: silentLogger,
    });
    return store;
  }

  /** Makes a node; what it forwards goes to `downstream`, or else to `forwarded`. */
  node(supplier: NodeProcessorSupplier, downstream?: NodeProcessor): NodeProcessor {
    const processor = supplier();
    processor.init(this.#context(downstream));
    return processor;
  }

  /** Gives a record to a node, as a source would. */
  pipe(node: NodeProcessor, key: unknown, value: unknown, timestamp = 0, headers: Headers = NO_HEADERS): void {
    this.#recordContext.set('in', 0, 0, timestamp, headers);
    node.process(key, value, timestamp, headers, undefined, true);
  }

  /** Gives a table change to a node. */
  change(node: NodeProcessor, key: unknown, value: unknown, oldValue: unknown, timestamp = 0, isLatest = true): void {
    this.#recordContext.set('in', 0, 0, timestamp, NO_HEADERS);
    node.process(key, value, timestamp, NO_HEADERS, oldValue, isLatest);
  }

  /** Waits for what operators go on with after a record, as the task would before its next one. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending.splice(0));
  }

  /** Forwards what the stores hold back and writes them to the database. */
  async commit(): Promise<void> {
    for (const store of this.#stores.values()) store.flushCache();
    this.#batch.clear();
    for (const store of this.#stores.values()) store.prepareCommit(this.#batch, undefined);
    await this.#database?.write(this.#batch);
    for (const store of this.#stores.values()) store.committed();
  }

  /** What was forwarded since the last call. */
  take(): Forwarded[] {
    return this.forwarded.splice(0);
  }

  #context(downstream: NodeProcessor | undefined): NodeContext {
    const { forwarded } = this;
    const harness = this;
    const collect: NodeContext['forward'] = (key, value, at, headers, old) => {
      forwarded.push(record(key, value, at, headers, old));
    };
    return {
      nodeName: 'node',
      applicationId: 'app',
      taskId: '0_0',
      logger: silentLogger,
      recordContext: this.#recordContext,
      childNames: [],
      forward: downstream === undefined ? collect : (...change) => downstream.process(...change),
      forwardTo: (child, key, value, at, headers, old) => {
        forwarded.push({ ...record(key, value, at, headers, old), child });
      },
      getStore: <S>(name: string) => this.#stores.get(name) as S,
      schedule: () => ({ cancel: () => undefined }),
      commit: () => undefined,
      streamTimeMs: () => this.#recordContext.timestamp,
      systemTimeMs: () => this.wallClockMs,
      dropped: (reason) => {
        this.dropped.push(reason);
      },
      waitFor: (pending) => {
        this.#pending.push(pending);
      },
      asyncLane: (operator) => ({
        submit: (key, value, at, headers) => void this.calls.push(call(operator, key, value, at, headers)),
      }),
      get emitIntervalMs() {
        return harness.emitIntervalMs;
      },
    };
  }
}

function record(key: unknown, value: unknown, at: number, headers: Headers, old: unknown): Forwarded {
  return {
    key,
    value: value ?? undefined,
    at,
    ...(old == null ? {} : { old }),
    ...(headers.length === 0 ? {} : { headers }),
  };
}

/** One attempt without limits, as every asynchronous operator makes it; order, limits and retries are the task's. */
async function call(operator: AsyncOperator, key: unknown, value: unknown, timestamp: number, headers: Headers): Promise<void> {
  const { signal } = new AbortController();
  const result = await operator.call(key, value, {
    signal,
    attempt: 1,
    topic: 'in',
    partition: 0,
    offset: 0,
    timestamp,
    headers,
  });
  operator.complete(result, key, value, timestamp, headers);
}
