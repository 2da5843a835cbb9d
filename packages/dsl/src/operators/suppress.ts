import { FatalStreamsError, type Headers } from '@millrace/core';
import type { ChangeBuffer } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Suppressed } from '../options/suppressed.ts';
import type { TableValueGetter, TableView } from './table-view.ts';

export interface SuppressOptions<K>
  extends Pick<Suppressed<K>, 'timeOf' | 'maxRecords' | 'maxBytes' | 'whenFull' | 'finalResults'> {
  /** A buffer of changes. */
  readonly buffer: string;
  /** How far stream time must be beyond the time of a change before it is let go. */
  readonly waitMs: number;
}

/**
 * `KTable.suppress`: changes wait for their time; of several changes of a key only the last is forwarded, with the time, headers
 * and place of the record that made it, but when the first was due. They leave in the order of their times, then of their keys.
 *
 * Stream time is the highest timestamp that this node has seen in this task; it starts anew with the task. Nothing is ever let
 * go by the wall clock: without a further record, what waits stays. The old value of a change is that before the last one that
 * was buffered, even if it was never forwarded.
 *
 * Source: Kafka Streams `KTableSuppressProcessor`.
 */
export function suppressOperator<K>(options: SuppressOptions<K>): NodeProcessorSupplier {
  return () => new SuppressProcessor(options);
}

class SuppressProcessor<K, V> implements NodeProcessor {
  readonly #options: SuppressOptions<K>;
  #context!: NodeContext;
  #buffer!: ChangeBuffer<K, V>;
  #streamTime = -1;

  constructor(options: SuppressOptions<K>) {
    this.#options = options;
  }

  init(context: NodeContext): void {
    const { buffer, finalResults } = this.#options;
    this.#context = context;
    this.#streamTime = -1;
    this.#buffer = context.getStore<ChangeBuffer<K, V>>(buffer);
    this.#buffer.setListener((key, value, oldValue, timestamp, headers) => {
      // Nobody has heard of a final result before: there is nothing to delete.
      if (value == null && finalResults) return;
      context.forward(key, value, timestamp, headers, oldValue, true);
    });
  }

  process(key: unknown, value: unknown, timestamp: number, _headers: Headers, oldValue: unknown): void {
    const { timeOf, waitMs } = this.#options;
    const buffer = this.#buffer;
    if (timestamp > this.#streamTime) this.#streamTime = timestamp;
    buffer.put(timeOf(key as K, timestamp), key as K, value as V, oldValue as V);
    const due = this.#streamTime - waitMs;
    while (buffer.minTime <= due) buffer.emitFirst();
    if (this.#isFull()) this.#makeRoom();
  }

  #isFull(): boolean {
    const { maxRecords, maxBytes, whenFull } = this.#options;
    return whenFull !== 'spill' && (this.#buffer.size > maxRecords || this.#buffer.bytes > maxBytes);
  }

  #makeRoom(): void {
    const { buffer, maxRecords, maxBytes, whenFull } = this.#options;
    if (whenFull === 'emitEarly') {
      while (this.#isFull()) this.#buffer.emitFirst();
      return;
    }
    const { size, bytes } = this.#buffer;
    throw new FatalStreamsError(
      'SUPPRESS_BUFFER_FULL',
      `${this.#context.nodeName} holds back ${size} changes (${bytes} bytes), more than its limits allow ` +
        `(maxRecords ${maxRecords}, maxBytes ${maxBytes}); raise them, or choose another \`whenFull\``,
      { taskId: this.#context.taskId, node: this.#context.nodeName, store: buffer },
    );
  }
}

/**
 * A suppressed table as others see it: of a key with a waiting change, what was forwarded before.
 *
 * Source: Kafka Streams `KTableSuppressValueGetter`.
 */
export function suppressedTableView<K, V>(parent: TableView<K, V>, buffer: string): TableView<K, V> {
  return { stores: [...parent.stores, buffer], createGetter: () => new SuppressedGetter(parent.createGetter(), buffer) };
}

class SuppressedGetter<K, V> implements TableValueGetter<K, V> {
  timestamp = -1;
  readonly #parent: TableValueGetter<K, V>;
  readonly #bufferName: string;
  #buffer!: ChangeBuffer<K, V>;

  constructor(parent: TableValueGetter<K, V>, buffer: string) {
    this.#parent = parent;
    this.#bufferName = buffer;
  }

  init(context: NodeContext): void {
    this.#parent.init(context);
    this.#buffer = context.getStore(this.#bufferName);
  }

  get(key: K): V | undefined {
    const isWaiting = this.#buffer.has(key);
    const value = isWaiting ? this.#buffer.priorValue(key) : this.#parent.get(key);
    // When the prior value came is not kept.
    this.timestamp = isWaiting ? -1 : this.#parent.timestamp;
    return value;
  }

  getReported(key: K): V | undefined {
    return this.#buffer.has(key) ? this.#buffer.priorValue(key) : this.#parent.getReported(key);
  }

  close(): void {
    this.#parent.close?.();
  }
}
