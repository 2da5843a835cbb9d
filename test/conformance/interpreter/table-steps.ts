import { json, string } from '@millrace/core';
import { type KGroupedTable, type KTable, type Suppressed, untilTimeLimit, untilWindowCloses } from '@millrace/dsl';
import { aggregator, joiner, mapper, predicate, reducer, selector, type Value } from '../functions.ts';
import type { FunctionRef, StepJson } from '../vector.ts';
import type { Graph } from './graph.ts';
import { materialized } from './materialized.ts';
import { named } from './source-steps.ts';
import { transformerSupplier } from './transformers.ts';
import type { VectorKey } from './vector-topics.ts';

type Table = KTable<VectorKey, Value>;

/** A step on a table. */
export function tableStep(from: Table, step: StepJson, graph: Graph): unknown {
  const options = { ...named(step), ...materialized(step.store) };
  switch (step.op) {
    case 'filter':
      return from.filter(predicate(step.fn as FunctionRef), options);
    case 'filterNot':
      return from.filterNot(predicate(step.fn as FunctionRef), options);
    case 'mapValues':
      return from.mapValues(mapper(step.fn as FunctionRef), options);
    case 'toStream':
      return step.key === undefined ? from.toStream(options) : toKeyedStream(from, step.key, options);
    case 'transformValues':
      return from.transformValues(transformerSupplier(step.transformer as FunctionRef), {
        ...options,
        stores: step.stores ?? [],
      });
    case 'suppress':
      return from.suppress(suppressedOf(step), named(step));
    case 'groupBy':
      return groupStep(from, step);
    case 'join':
    case 'leftJoin':
    case 'outerJoin':
      return joinStep(from, graph.get(step.with) as Table, step);
    default:
      throw new Error(`no step on a table is called ${step.op}`);
  }
}

/** Kafka's `toStream(mapper)`; the name is that of the first of its two nodes. */
function toKeyedStream(from: KTable<VectorKey, Value>, key: FunctionRef, options: { readonly name?: string }): unknown {
  return from.toStream(options).selectKey(selector(key) as (value: Value, key: VectorKey) => string, { key: string() });
}

/** Vectors do not say in their types which keys are windowed. */
function suppressedOf({ until, limitMs = 0, buffer }: StepJson): Suppressed<VectorKey> {
  const limits = buffer === undefined ? {} : { maxRecords: buffer.maxRecords };
  if (until === 'windowCloses') return untilWindowCloses(limits) as Suppressed<never> as Suppressed<VectorKey>;
  const whenFull = buffer?.whenFull === 'shutDown' ? 'shutDown' : 'emitEarly';
  return untilTimeLimit(limitMs, { ...limits, whenFull });
}

function groupStep(from: Table, step: StepJson): KGroupedTable<string, Value> {
  const key = selector(step.key as FunctionRef);
  const value = mapper(step.value as FunctionRef);
  return from.groupBy<string, Value>((old, oldKey) => [key(old, oldKey) as string | null, value(old, oldKey)], {
    ...(step.grouped === undefined ? {} : { name: step.grouped }),
    key: string(),
    value: json<Value>(),
  });
}

function joinStep(from: Table, table: Table, step: StepJson): unknown {
  const other = table as KTable<VectorKey, NonNullable<Value>>;
  const options = { ...named(step), ...materialized(step.store) };
  const join = joiner(step.joiner as FunctionRef);
  if (step.foreignKey !== undefined) {
    const foreign = { ...options, foreignKey: selector(step.foreignKey) as (value: Value, key: VectorKey) => VectorKey };
    return step.op === 'join' ? from.join(other, join, foreign) : from.leftJoin(other, join, foreign);
  }
  if (step.op === 'outerJoin') return from.outerJoin(other, join, options);
  return step.op === 'join' ? from.join(other, join, options) : from.leftJoin(other, join, options);
}

/** `count`, `reduce` and `aggregate` of a grouped table. */
export function groupedTableStep(from: KGroupedTable<VectorKey, Value>, step: StepJson): unknown {
  const options = { ...named(step), ...materialized(step.store) };
  switch (step.op) {
    case 'count':
      return from.count(options);
    case 'reduce':
      return from.reduce(reducer(step.adder as FunctionRef), reducer(step.subtractor as FunctionRef), options);
    case 'aggregate':
      return from.aggregate<Value>(
        () => step.init ?? null,
        aggregator(step.adder as FunctionRef),
        aggregator(step.subtractor as FunctionRef),
        options,
      );
    default:
      throw new Error(`no step on a grouped table is called ${step.op}`);
  }
}
