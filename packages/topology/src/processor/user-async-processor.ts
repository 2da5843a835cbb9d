import { type Headers, ProcessingError } from '@millrace/core';
import type { AsyncCall, AsyncLane, AsyncOperator, AsyncSettings } from '../node/async-operator.ts';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '../node/node-processor.ts';
import { openAsyncLane } from '../node/open-async-lane.ts';
import type { AsyncProcessor, AsyncProcessorSupplier } from './async-processor.ts';
import { StreamRecord } from './stream-record.ts';
import { UserProcessorContext } from './user-processor-context.ts';

type ErasedProcessor = AsyncProcessor<unknown, unknown, unknown, unknown, unknown>;

/** Lets a user's `AsyncProcessor` run in a node. */
export function asyncProcessorNodeSupplier<KIn, VIn, R, KOut, VOut>(
  supplier: AsyncProcessorSupplier<KIn, VIn, R, KOut, VOut>,
  settings: AsyncSettings,
): NodeProcessorSupplier {
  return () => new UserAsyncProcessorNode(supplier() as unknown as ErasedProcessor, settings);
}

class UserAsyncProcessorNode implements NodeProcessor, AsyncOperator {
  readonly #processor: ErasedProcessor;
  readonly #settings: AsyncSettings;
  #context!: UserProcessorContext;
  #lane!: AsyncLane;

  constructor(processor: ErasedProcessor, settings: AsyncSettings) {
    this.#processor = processor;
    this.#settings = settings;
  }

  init(node: NodeContext): void {
    this.#lane = openAsyncLane(node, this, this.#settings);
    this.#context = new UserProcessorContext(node);
    this.#processor.init?.(this.#context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    this.#lane.submit(key, value, timestamp, headers);
  }

  call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown> {
    return this.#processor.request(new StreamRecord(key, value, call.timestamp, call.headers), call);
  }

  complete(result: unknown, key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    this.#context.begin();
    try {
      const returned: unknown = this.#processor.process(new StreamRecord(key, value, timestamp, headers), result);
      if (returned !== undefined) assertNothing(returned, this.#context.taskId);
    } finally {
      this.#context.end();
    }
  }

  close(): void {
    this.#processor.close?.();
  }
}

/** Nobody would wait for a promise, and the record would count as done. */
function assertNothing(returned: unknown, taskId: string): void {
  if (typeof (returned as { readonly then?: unknown } | null)?.then !== 'function') return;
  throw new ProcessingError(
    'ASYNC_CALLBACK',
    'process of an AsyncProcessor returned a promise; what is asynchronous belongs into its request',
    { taskId },
  );
}
