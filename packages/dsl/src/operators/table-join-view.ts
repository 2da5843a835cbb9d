import type { NodeContext } from '@millrace/topology';
import type { Joiner } from './callbacks.ts';
import { assertSynchronous } from './synchronous-result.ts';
import type { TableJoinKind } from './table-join.ts';
import type { TableValueGetter, TableView } from './table-view.ts';

export interface JoinedTables<K, L, R, Out> {
  readonly kind: TableJoinKind;
  readonly left: TableView<K, L>;
  readonly right: TableView<K, R>;
  readonly joiner: Joiner<K, L | undefined, R | undefined, Out>;
}

/**
 * A joined table without store: both sides are looked up, and joined again.
 *
 * Source: Kafka Streams `KTableKTableAbstractJoinValueGetterSupplier` and those derived from it.
 */
export function joinedTableView<K, L, R, Out>(tables: JoinedTables<K, L, R, Out>): TableView<K, Out> {
  return {
    stores: [...new Set([...tables.left.stores, ...tables.right.stores])],
    createGetter: () => new JoinGetter(tables),
  };
}

class JoinGetter<K, L, R, Out> implements TableValueGetter<K, Out> {
  timestamp = -1;
  readonly #kind: TableJoinKind;
  readonly #left: TableValueGetter<K, L>;
  readonly #right: TableValueGetter<K, R>;
  readonly #joiner: Joiner<K, L | undefined, R | undefined, Out>;

  constructor({ kind, left, right, joiner }: JoinedTables<K, L, R, Out>) {
    this.#kind = kind;
    this.#left = left.createGetter();
    this.#right = right.createGetter();
    this.#joiner = joiner;
  }

  init(context: NodeContext): void {
    this.#left.init(context);
    this.#right.init(context);
  }

  get(key: K): Out | undefined {
    this.timestamp = -1;
    const left = this.#left.get(key) ?? undefined;
    const leftTimestamp = left === undefined ? -1 : this.#left.timestamp;
    if (left === undefined && this.#kind !== 'outer') return undefined;
    const right = this.#right.get(key) ?? undefined;
    if (!this.#hasResult(left, right)) return undefined;
    const result = this.#join(key, left, right);
    this.timestamp = right === undefined ? leftTimestamp : Math.max(leftTimestamp, this.#right.timestamp);
    return result;
  }

  getReported(key: K): Out | undefined {
    const left = this.#left.getReported(key) ?? undefined;
    const right = this.#right.getReported(key) ?? undefined;
    return this.#hasResult(left, right) ? this.#join(key, left, right) : undefined;
  }

  #hasResult(left: L | undefined, right: R | undefined): boolean {
    if (left === undefined) return this.#kind === 'outer' && right !== undefined;
    return right !== undefined || this.#kind !== 'inner';
  }

  #join(key: K, left: L | undefined, right: R | undefined): Out {
    const result = this.#joiner(left, right, key);
    assertSynchronous(result, 'the joiner');
    return result;
  }

  close(): void {
    this.#left.close?.();
    this.#right.close?.();
  }
}
