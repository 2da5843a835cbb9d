/** The operators without state: which node each becomes. */
import type { Serde } from '@millrace/core';
import type {
  FlatRecordMapper,
  FlatValueMapper,
  KeySelector,
  Predicate,
  RecordAction,
  RecordMapper,
  ValueMapper,
} from '../operators/callbacks.ts';
import { filterOperator } from '../operators/filter.ts';
import { flatMapOperator } from '../operators/flat-map.ts';
import { flatMapValuesOperator } from '../operators/flat-map-values.ts';
import { foreachOperator } from '../operators/foreach.ts';
import { mapOperator } from '../operators/map.ts';
import { mapValuesOperator } from '../operators/map-values.ts';
import { peekOperator } from '../operators/peek.ts';
import { selectKeyOperator } from '../operators/select-key.ts';
import type { NamedOptions, SerdeOptions } from '../options/operator-options.ts';
import type { StreamOrigin } from '../origin/origins.ts';
import { addKeyChange, addStateless, addValueChange } from './stateless.ts';

export function addFilter<K, V>(
  from: StreamOrigin<K, V>,
  predicate: Predicate<K, V>,
  negate: boolean,
  { name }: NamedOptions,
): StreamOrigin<K, V> {
  return addStateless(from, { name, prefix: 'KSTREAM-FILTER-', supplier: filterOperator({ predicate, negate }) });
}

export function addPeek<K, V>(from: StreamOrigin<K, V>, action: RecordAction<K, V>, { name }: NamedOptions): StreamOrigin<K, V> {
  return addStateless(from, { name, prefix: 'KSTREAM-PEEK-', supplier: peekOperator({ action }) });
}

export function addForeach<K, V>(from: StreamOrigin<K, V>, action: RecordAction<K, V>, { name }: NamedOptions): void {
  addStateless(from, { name, prefix: 'KSTREAM-FOREACH-', supplier: foreachOperator({ action }) });
}

export function addMapValues<K, V, R>(
  from: StreamOrigin<K, V>,
  mapper: ValueMapper<K, V, unknown>,
  { name, value }: NamedOptions & { readonly value?: Serde<R> },
): StreamOrigin<K, R> {
  return addValueChange(from, { name, prefix: 'KSTREAM-MAPVALUES-', supplier: mapValuesOperator({ mapper }) }, value);
}

export function addFlatMapValues<K, V, R>(
  from: StreamOrigin<K, V>,
  mapper: FlatValueMapper<K, V, R>,
  { name, value }: NamedOptions & { readonly value?: Serde<R> },
): StreamOrigin<K, R> {
  return addValueChange(from, { name, prefix: 'KSTREAM-FLATMAPVALUES-', supplier: flatMapValuesOperator({ mapper }) }, value);
}

export function addMap<K, V, K2, V2>(
  from: StreamOrigin<K, V>,
  mapper: RecordMapper<K, V, K2, V2>,
  { name, key, value }: NamedOptions & SerdeOptions<K2, V2>,
): StreamOrigin<K2, V2> {
  return addKeyChange(from, { name, prefix: 'KSTREAM-MAP-', supplier: mapOperator({ mapper }) }, { key, value });
}

export function addFlatMap<K, V, K2, V2>(
  from: StreamOrigin<K, V>,
  mapper: FlatRecordMapper<K, V, K2, V2>,
  { name, key, value }: NamedOptions & SerdeOptions<K2, V2>,
): StreamOrigin<K2, V2> {
  return addKeyChange(from, { name, prefix: 'KSTREAM-FLATMAP-', supplier: flatMapOperator({ mapper }) }, { key, value });
}

export function addSelectKey<K, V, K2>(
  from: StreamOrigin<K, V>,
  selector: KeySelector<K, V, unknown>,
  { name, key }: NamedOptions & { readonly key?: Serde<K2> },
): StreamOrigin<K2, V> {
  const operation = { name, prefix: 'KSTREAM-KEY-SELECT-', supplier: selectKeyOperator({ selector }) };
  return addKeyChange(from, operation, { key, value: from.value });
}
