import { json, string } from '@millrace/core';
import { GlobalKTable, KStream, type KTable } from '@millrace/dsl';
import { flatMapper, joiner, mapper, predicate, selector, type Value } from '../functions.ts';
import type { FunctionRef, StepJson, WindowJson } from '../vector.ts';
import type { Graph } from './graph.ts';
import { materialized } from './materialized.ts';
import { fixedKeyProcessorSupplier, processorSupplier } from './processors.ts';
import { named } from './source-steps.ts';
import { outputTopic, type VectorKey } from './vector-topics.ts';
import { joinWindowsOf } from './window-definitions.ts';

type Stream = KStream<VectorKey, Value>;
type Table = KTable<VectorKey, NonNullable<Value>>;

const value = json<Value>();
/** All keys that vectors select are texts. */
const key = string();

type SelectKey = (value: Value, key: VectorKey) => string;

const selectKey = (ref: FunctionRef | undefined) => selector(ref as FunctionRef) as SelectKey;

/** A step on a stream. */
export function streamStep(from: Stream, step: StepJson, graph: Graph): unknown {
  const handler = Object.hasOwn(handlers, step.op) ? handlers[step.op] : undefined;
  if (handler === undefined) throw new Error(`no step on a stream is called ${step.op}`);
  return handler(from, step, graph);
}

const handlers: Readonly<Record<string, (from: Stream, step: StepJson, graph: Graph) => unknown>> = {
  to: (from, step) => from.to(outputTopic(step.topic as string), named(step)),
  filter: (from, step) => from.filter(predicate(step.fn as FunctionRef), named(step)),
  filterNot: (from, step) => from.filterNot(predicate(step.fn as FunctionRef), named(step)),
  mapValues: (from, step) => from.mapValues(mapper(step.fn as FunctionRef), { ...named(step), value }),
  map: (from, step) => {
    const newKey = selectKey(step.key);
    const newValue = mapper(step.value as FunctionRef);
    return from.map((old, oldKey) => [newKey(old, oldKey), newValue(old, oldKey)], { ...named(step), key, value });
  },
  flatMapValues: (from, step) => from.flatMapValues(flatMapper(step.fn as FunctionRef), { ...named(step), value }),
  flatMap: (from, step) => {
    const values = flatMapper(step.fn as FunctionRef);
    const newKey = selectKey(step.key);
    return from.flatMap((old, oldKey) => values(old, oldKey).map((one) => [newKey(one, oldKey), one] as const), {
      ...named(step),
      key,
      value,
    });
  },
  selectKey: (from, step) => from.selectKey(selectKey(step.key), { ...named(step), key }),
  peek: (from, step) => from.peek(() => undefined, named(step)),
  foreach: (from, step) => from.foreach(() => undefined, named(step)),
  merge: (from, step, graph) => from.merge(graph.get(step.with) as Stream, named(step)),
  repartition: (from, step) =>
    from.repartition({ ...named(step), ...(step.partitions === undefined ? {} : { partitions: step.partitions }) }),
  toTable: (from, step) => from.toTable({ ...named(step), ...materialized(step.store) }),
  process: (from, step) =>
    from.process(processorSupplier(step.processor as FunctionRef) as never, {
      ...named(step),
      stores: step.stores ?? [],
      key,
      value,
    }),
  processValues: (from, step) =>
    from.processValues(fixedKeyProcessorSupplier(step.processor as FunctionRef) as never, {
      ...named(step),
      stores: step.stores ?? [],
      value,
    }),
  groupByKey: (from, step) => from.groupByKey(step.grouped === undefined ? {} : { name: step.grouped }),
  groupBy: (from, step) =>
    from.groupBy(selectKey(step.key), { ...(step.grouped === undefined ? {} : { name: step.grouped }), key }),
  join: joinStep,
  leftJoin: joinStep,
  outerJoin: joinStep,
};

function joinStep(from: Stream, step: StepJson, graph: Graph): unknown {
  const other = graph.get(step.with);
  if (other instanceof GlobalKTable) return globalJoin(from, other as GlobalKTable<string, NonNullable<Value>>, step);
  return other instanceof KStream ? streamJoin(from, other as Stream, step) : tableJoin(from, other as Table, step);
}

function streamJoin(from: Stream, other: Stream, step: StepJson): Stream {
  const join = joiner(step.joiner as FunctionRef);
  const options = {
    ...named(step),
    ...(step.storeName === undefined ? {} : { storeName: step.storeName }),
    within: joinWindowsOf(step.window as WindowJson),
    value,
  };
  if (step.op === 'join') return from.join(other, join, options);
  return step.op === 'leftJoin' ? from.leftJoin(other, join, options) : from.outerJoin(other, join, options);
}

function globalJoin(from: Stream, table: GlobalKTable<string, NonNullable<Value>>, step: StepJson): Stream {
  const join = joiner(step.joiner as FunctionRef);
  const options = { ...named(step), keySelector: selectKey(step.key), value };
  return step.op === 'join' ? from.join(table, join, options) : from.leftJoin(table, join, options);
}

function tableJoin(from: Stream, table: Table, step: StepJson): Stream {
  const join = joiner(step.joiner as FunctionRef);
  const options = { ...named(step), value, ...(step.graceMs === undefined ? {} : { grace: step.graceMs }) };
  return step.op === 'join' ? from.join(table, join, options) : from.leftJoin(table, join, options);
}
