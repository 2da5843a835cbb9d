import type { Predicate, ValueMapper } from '../operators/callbacks.ts';
import { tableFilterOperator } from '../operators/table-filter.ts';
import { tableMapValuesOperator } from '../operators/table-map-values.ts';
import { filteredTableView, mappedTableView } from '../operators/table-view.ts';
import { toStreamOperator } from '../operators/to-stream.ts';
import { deriveStream, erased, type StreamOrigin, type TableOrigin } from '../origin/origins.ts';
import type { DerivedTableOperation } from './derived-table.ts';

export function filterTable<K, V>(predicate: Predicate<K, V>, negate: boolean): DerivedTableOperation<V, K, V> {
  return {
    operator: negate ? 'filterNot()' : 'filter()',
    prefix: 'KTABLE-FILTER-',
    supplier: (store, sendOldValues, overVersions) =>
      tableFilterOperator({ predicate, negate, store, sendOldValues, overVersions }),
    view: (parent) => filteredTableView(parent, predicate, negate),
    // Spares the deletion of rows that never passed.
    prefersOldValues: true,
  };
}

export function mapTableValues<K, V, R>(mapper: ValueMapper<K, V, R>): DerivedTableOperation<V, K, R> {
  return {
    operator: 'mapValues()',
    prefix: 'KTABLE-MAPVALUES-',
    supplier: (store, sendOldValues) => tableMapValuesOperator({ mapper, store, sendOldValues }),
    view: (parent) => mappedTableView(parent, mapper),
    prefersOldValues: false,
  };
}

/** `KTable.toStream`. */
export function addToStream<K, V>(from: TableOrigin<K, V>, userName: string | undefined): StreamOrigin<K, V> {
  const { dsl, key, value } = from;
  const name = dsl.names.orNext(userName, 'KTABLE-TOSTREAM-');
  const node = dsl.graph.create([from.node], name, { kind: 'processor', supplier: () => toStreamOperator() });
  return deriveStream(erased(from), { name, node, key, value });
}
