import { TopologyError } from '@millrace/core';
import { changeBuffer, type TopicConfig } from '@millrace/state';
import { assertName } from '@millrace/topology';
import { windowGraceMs } from '../graph/window-grace.ts';
import { suppressedTableView, suppressOperator } from '../operators/suppress.ts';
import type { TableView } from '../operators/table-view.ts';
import type { NamedOptions, SerdeOptions } from '../options/operator-options.ts';
import type { Suppressed } from '../options/suppressed.ts';
import type { TableChanges, TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';

/** `name` names the node, and its store `<name>-store`. */
export interface SuppressOptions<K, V> extends NamedOptions, SerdeOptions<K, V> {
  /** Whether there is a changelog, or what to add to the configuration of its topic. Default true. */
  readonly logging?: boolean | TopicConfig;
}

class SuppressedTable<K, V> implements TableChanges<K, V> {
  readonly #parent: TableChanges<K, V>;
  readonly #buffer: string;

  constructor(parent: TableChanges<K, V>, buffer: string) {
    this.#parent = parent;
    this.#buffer = buffer;
    // What those below know of a row is the value before its first change that waits.
    parent.enableOldValues(true);
  }

  enableOldValues(): boolean {
    return true;
  }

  view(): TableView<K, V> {
    return suppressedTableView(this.#parent.view(), this.#buffer);
  }
}

/**
 * Adds a table that holds changes back.
 *
 * @throws TopologyError `NOT_WINDOWED`, `SUPPRESS_VERSIONED`
 *
 * Source: Kafka Streams `KTableImpl.suppress`.
 */
export function suppressTable<K, V>(
  from: TableOrigin<K, V>,
  suppressed: Suppressed<K>,
  options: SuppressOptions<K, V>,
): TableOrigin<K, V> {
  const { dsl, sources } = from;
  const operator = options.name === undefined ? 'suppress()' : `suppress() ${options.name}`;
  if (from.changes.historyRetentionMs !== undefined) {
    const message = `${operator} is not possible for versioned tables, whose changes come in the order of their times; suppress before`;
    throw new TopologyError('SUPPRESS_VERSIONED', message);
  }
  const waitMs = suppressed.waitMs ?? windowGraceMs(from.node);
  // Unlike other operators, one that the user names takes no number.
  const name = options.name ?? dsl.names.next('KTABLE-SUPPRESS-');
  assertName(name, 'node');
  const buffer = options.name === undefined ? dsl.names.nextStore('KTABLE-SUPPRESS-') : `${name}-store`;
  const key = requireSerde(dsl, 'key', options.key ?? from.key, operator);
  const value = requireSerde(dsl, 'value', options.value ?? from.value, operator);
  const changes = new SuppressedTable(from.changes, buffer);
  const memoryBytes = suppressed.whenFull === 'spill' ? suppressed.maxBytes : undefined;
  const store = changeBuffer(buffer, key, value, { memoryBytes, logging: options.logging ?? true });
  const node = dsl.graph.create([from.node], name, {
    kind: 'processor',
    supplier: () => suppressOperator({ ...suppressed, buffer, waitMs }),
    stores: () => [store],
  });
  return { kind: 'table', dsl, name, node, key, value, sources, changes };
}
