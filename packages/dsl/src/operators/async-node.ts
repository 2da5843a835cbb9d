import type { Headers } from '@millrace/core';
import {
  openAsyncLane,
  type AsyncCall,
  type AsyncLane,
  type AsyncOperator,
  type AsyncSettings,
  type NodeContext,
  type NodeProcessor,
} from '@millrace/topology';

/** What the asynchronous operators have in common: each record goes to the task, which makes the calls and brings the results. */
export abstract class AsyncNode implements NodeProcessor, AsyncOperator {
  readonly #settings: AsyncSettings;
  #lane!: AsyncLane;
  protected context!: NodeContext;

  constructor(settings: AsyncSettings) {
    this.#settings = settings;
  }

  init(context: NodeContext): void {
    this.context = context;
    this.#lane = openAsyncLane(context, this, this.#settings);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    this.#lane.submit(key, value, timestamp, headers);
  }

  abstract call(key: unknown, value: unknown, call: AsyncCall): PromiseLike<unknown>;

  abstract complete(result: unknown, key: unknown, value: unknown, timestamp: number, headers: Headers): void;
}
