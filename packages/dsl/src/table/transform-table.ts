import { assertFreshProcessors } from '@millrace/topology';
import { tableTransformValuesOperator, transformedTableView } from '../operators/table-transform-values.ts';
import type { ValueTransformerSupplier } from '../operators/value-transformer.ts';
import type { MaterializedOptions } from '../options/materialized.ts';
import type { NamedOptions } from '../options/operator-options.ts';
import type { DerivedTableOperation } from './derived-table.ts';

export interface TransformValuesOptions<K, R> extends NamedOptions, MaterializedOptions<K, R> {
  /** Names of stores that the transformer uses, besides those that its supplier brings. */
  readonly stores?: readonly string[];
}

/** `KTable.transformValues`. Source: Kafka Streams `KTableImpl.doTransformValues`. */
export function transformTable<K, V, R>(
  supplier: ValueTransformerSupplier<K, V, R>,
  connectedStores: readonly string[],
): DerivedTableOperation<V, K, R> {
  assertFreshProcessors(supplier, 'transformValues()');
  return {
    operator: 'transformValues()',
    prefix: 'KTABLE-TRANSFORMVALUES-',
    supplier: (store, sendOldValues) => tableTransformValuesOperator({ supplier, store, sendOldValues }),
    view: (parent) => transformedTableView(parent, supplier),
    prefersOldValues: false,
    numbersUnnamedStore: false,
    broughtStores: supplier.stores ?? [],
    connectedStores,
  };
}
