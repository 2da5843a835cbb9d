import type { Headers } from '@millrace/core';
import type { NodeContext } from '@millrace/topology';
import type { Joiner } from './callbacks.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';
import type { TableValueGetter, TableView } from './table-view.ts';

export interface RowJoinerOptions<K, L, R, Out> {
  readonly kind: 'inner' | 'left';
  /** The table as seen from the join; its `stores` must be connected to the node. */
  readonly table: TableView<K, R>;
  readonly joiner: Joiner<K, L, R | undefined, Out>;
}

/** Joins a record of a stream with the row of a table: the present one, or, of a versioned table, that of the record's time. */
export class RowJoiner<K, L, R, Out> {
  readonly #left: boolean;
  readonly #joiner: Joiner<K, L, R | undefined, Out>;
  readonly #getter: TableValueGetter<K, R>;
  readonly #hasHistory: boolean;
  #context!: NodeContext;

  constructor({ kind, table, joiner }: RowJoinerOptions<K, L, R, Out>) {
    this.#left = kind === 'left';
    this.#joiner = joiner;
    this.#getter = table.createGetter();
    this.#hasHistory = table.historyRetentionMs !== undefined;
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#getter.init(context);
  }

  /** Drops a record that takes no part: one without value, and in an inner join one without key. @returns whether it did */
  drop(key: unknown, value: unknown): boolean {
    if (value != null && (key != null || this.#left)) return false;
    this.#context.dropped(dropReasons.nullKeyOrValue);
    return true;
  }

  /** Forwards the result of a record that was not dropped, if there is one. */
  join(key: K, value: L, timestamp: number, headers: Headers): void {
    const row = key == null ? undefined : this.#rowOf(key, timestamp);
    if (row == null && !this.#left) return;
    const result = this.#joiner(value, row ?? undefined, key);
    assertSynchronous(result, 'the joiner');
    this.#context.forward(key, result, timestamp, headers, undefined, true);
  }

  #rowOf(key: K, timestamp: number): R | undefined {
    return this.#hasHistory ? this.#getter.getAsOf?.(key, timestamp) : this.#getter.get(key);
  }

  close(): void {
    this.#getter.close?.();
  }
}
