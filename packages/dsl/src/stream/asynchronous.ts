/** The asynchronous operators: which node each becomes. Kafka Streams has none; prefixes and traits follow their synchronous kin. */
import type { Serde } from '@millrace/core';
import { type AsyncOptions, type AsyncProcessorSupplier, assertFreshProcessors, resolveAsyncOptions } from '@millrace/topology';
import type {
  AsyncFlatRecordMapper,
  AsyncFlatValueMapper,
  AsyncRecordAction,
  AsyncRecordMapper,
  AsyncValueMapper,
} from '../operators/async-callbacks.ts';
import { flatMapAsyncOperator } from '../operators/flat-map-async.ts';
import { flatMapValuesAsyncOperator } from '../operators/flat-map-values-async.ts';
import { foreachAsyncOperator } from '../operators/foreach-async.ts';
import { mapAsyncOperator } from '../operators/map-async.ts';
import { mapValuesAsyncOperator } from '../operators/map-values-async.ts';
import { processAsyncOperator } from '../operators/process-async.ts';
import type { NamedOptions, ProcessOptions, SerdeOptions } from '../options/operator-options.ts';
import { deriveStream, type StreamOrigin } from '../origin/origins.ts';
import { addKeyChange, addStateless, addValueChange } from './stateless.ts';

export function addMapAsync<K, V, K2, V2>(
  from: StreamOrigin<K, V>,
  mapper: AsyncRecordMapper<K, V, K2, V2>,
  options: NamedOptions & SerdeOptions<K2, V2> & AsyncOptions,
): StreamOrigin<K2, V2> {
  const { name, key, value } = options;
  const settings = resolveAsyncOptions(options, name ?? 'mapAsync');
  const operation = { name, prefix: 'KSTREAM-MAP-ASYNC-', supplier: mapAsyncOperator({ mapper, settings }) };
  return addKeyChange(from, operation, { key, value });
}

export function addMapValuesAsync<K, V, R>(
  from: StreamOrigin<K, V>,
  mapper: AsyncValueMapper<K, V, R>,
  options: NamedOptions & { readonly value?: Serde<R> } & AsyncOptions,
): StreamOrigin<K, R> {
  const { name, value } = options;
  const settings = resolveAsyncOptions(options, name ?? 'mapValuesAsync');
  const operation = { name, prefix: 'KSTREAM-MAPVALUES-ASYNC-', supplier: mapValuesAsyncOperator({ mapper, settings }) };
  return addValueChange(from, operation, value);
}

export function addFlatMapAsync<K, V, K2, V2>(
  from: StreamOrigin<K, V>,
  mapper: AsyncFlatRecordMapper<K, V, K2, V2>,
  options: NamedOptions & SerdeOptions<K2, V2> & AsyncOptions,
): StreamOrigin<K2, V2> {
  const { name, key, value } = options;
  const settings = resolveAsyncOptions(options, name ?? 'flatMapAsync');
  const operation = { name, prefix: 'KSTREAM-FLATMAP-ASYNC-', supplier: flatMapAsyncOperator({ mapper, settings }) };
  return addKeyChange(from, operation, { key, value });
}

export function addFlatMapValuesAsync<K, V, R>(
  from: StreamOrigin<K, V>,
  mapper: AsyncFlatValueMapper<K, V, R>,
  options: NamedOptions & { readonly value?: Serde<R> } & AsyncOptions,
): StreamOrigin<K, R> {
  const { name, value } = options;
  const settings = resolveAsyncOptions(options, name ?? 'flatMapValuesAsync');
  const operation = { name, prefix: 'KSTREAM-FLATMAPVALUES-ASYNC-', supplier: flatMapValuesAsyncOperator({ mapper, settings }) };
  return addValueChange(from, operation, value);
}

export function addForeachAsync<K, V>(
  from: StreamOrigin<K, V>,
  action: AsyncRecordAction<K, V>,
  options: NamedOptions & AsyncOptions,
): void {
  const { name } = options;
  const settings = resolveAsyncOptions(options, name ?? 'foreachAsync');
  addStateless(from, { name, prefix: 'KSTREAM-FOREACH-ASYNC-', supplier: foreachAsyncOperator({ action, settings }) });
}

/** It may change keys, as `process` may. */
export function addProcessAsync<K, V, R, KOut, VOut>(
  from: StreamOrigin<K, V>,
  supplier: AsyncProcessorSupplier<K, V, R, KOut, VOut>,
  options: ProcessOptions<KOut, VOut> & AsyncOptions,
): StreamOrigin<KOut, VOut> {
  const { dsl } = from;
  const settings = resolveAsyncOptions(options, options.name ?? 'processAsync');
  const name = dsl.names.orNext(options.name, 'KSTREAM-PROCESS-ASYNC-');
  assertFreshProcessors(supplier, name);
  const node = dsl.graph.create([from.node], name, {
    kind: 'processor',
    supplier: () => processAsyncOperator({ supplier, settings }),
    stores: () => supplier.stores ?? [],
    connect: () => options.stores ?? [],
  });
  return deriveStream(from, { name, node, key: options.key, value: options.value, repartitionRequired: true });
}
