import type { Headers } from '@millrace/core';
import type { NodeContext, NodeProcessor, NodeProcessorSupplier } from '@millrace/topology';
import type { Joiner } from './callbacks.ts';
import { dropReasons } from './drop-reasons.ts';
import { assertSynchronous } from './synchronous-result.ts';
import type { TableValueGetter, TableView } from './table-view.ts';

/** Which sides of a join of tables have a row even when the other side has none. */
export type TableJoinKind = 'inner' | 'left' | 'outer';

export interface TableJoinOptions<K, L, R, Out> {
  readonly kind: TableJoinKind;
  /** The table whose changes come to this node; the other one is looked up. */
  readonly side: 'left' | 'right';
  /** The other table; its `stores` must be connected to the node. */
  readonly other: TableView<K, L | R>;
  readonly joiner: Joiner<K, L | undefined, R | undefined, Out>;
  /** Whether something downstream needs the result before each change. */
  readonly sendOldValues: boolean;
}

/**
 * One side of `KTable.join`, `leftJoin` or `outerJoin`: joins each change with the row that the other table has now. The
 * result's timestamp is the later one of both.
 *
 * A deletion deletes the result, again even if it is gone already. It causes nothing when the other side has no row and this
 * one had none before, or an inner join has no other row at all; but when caches hold back the deletions of both rows until the
 * same flush, the result of an inner join is deleted, too, where Kafka Streams keeps it for ever. Changes without key, and those
 * of a versioned table that are older than the row, are dropped.
 *
 * Source: Kafka Streams `KTableKTableInnerJoin`, `KTableKTableLeftJoin`, `KTableKTableRightJoin`, `KTableKTableOuterJoin`.
 */
export function tableJoinOperator<K, L, R, Out>(options: TableJoinOptions<K, L, R, Out>): NodeProcessorSupplier {
  return () => new TableJoinProcessor(options);
}

class TableJoinProcessor<K, L, R, Out> implements NodeProcessor {
  readonly #fromLeft: boolean;
  /** A row of this side stands alone. */
  readonly #keepsThis: boolean;
  /** A row of the other side stands alone. */
  readonly #keepsOther: boolean;
  readonly #sendOldValues: boolean;
  readonly #joiner: Joiner<K, L | undefined, R | undefined, Out>;
  readonly #getter: TableValueGetter<K, L | R>;
  #context!: NodeContext;

  constructor({ kind, side, other, joiner, sendOldValues }: TableJoinOptions<K, L, R, Out>) {
    this.#fromLeft = side === 'left';
    this.#keepsThis = kind === 'outer' || (kind === 'left' && side === 'left');
    this.#keepsOther = kind === 'outer' || (kind === 'left' && side === 'right');
    this.#sendOldValues = sendOldValues;
    this.#joiner = joiner;
    this.#getter = other.createGetter();
  }

  init(context: NodeContext): void {
    this.#context = context;
    this.#getter.init(context);
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    if (key == null || !isLatest) {
      this.#context.dropped(key == null ? dropReasons.nullKey : dropReasons.notLatest);
      return;
    }
    const other = this.#getter.get(key as K);
    if (other == null && !this.#keepsThis) {
      if (value == null && !this.#keepsOther) this.#deleteReported(key as K, timestamp, headers, oldValue);
      return;
    }
    if (other == null && value == null && oldValue == null) return;
    const resultTimestamp = other == null ? timestamp : Math.max(timestamp, this.#getter.timestamp);
    const otherStands = this.#keepsOther && other != null;
    const result = value != null || otherStands ? this.#join(key as K, value, other) : undefined;
    const hadResult = this.#sendOldValues && (oldValue != null || otherStands);
    const oldResult = hadResult ? this.#join(key as K, oldValue, other) : undefined;
    this.#context.forward(key, result, resultTimestamp, headers, oldResult, true);
  }

  /** Caches have held back both deletions: the one that is reported first is the last that can delete the result. */
  #deleteReported(key: K, timestamp: number, headers: Headers, oldValue: unknown): void {
    const other = this.#getter.getReported(key);
    if (other == null) return;
    const oldResult = this.#sendOldValues && oldValue != null ? this.#join(key, oldValue, other) : undefined;
    this.#context.forward(key, undefined, timestamp, headers, oldResult, true);
  }

  close(): void {
    this.#getter.close?.();
  }

  #join(key: K, own: unknown, other: L | R | undefined): Out {
    const left = this.#fromLeft ? own : other;
    const right = this.#fromLeft ? other : own;
    const result = this.#joiner((left ?? undefined) as L | undefined, (right ?? undefined) as R | undefined, key);
    assertSynchronous(result, 'the joiner');
    return result;
  }
}
