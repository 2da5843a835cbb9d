import { string } from '@millrace/core';
import type { KTable } from '@millrace/dsl';
import { mapper, predicate, selector, type Value } from '../functions.ts';
import type { FunctionRef, StepJson } from '../vector.ts';
import { materialized } from './materialized.ts';
import { named } from './source-steps.ts';
import type { VectorKey } from './vector-topics.ts';

/** A step on a table. */
export function tableStep(from: KTable<VectorKey, Value>, step: StepJson): unknown {
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
    default:
      throw new Error(`no step on a table is called ${step.op}`);
  }
}

/** Kafka's `toStream(mapper)`; the name is that of the first of its two nodes. */
function toKeyedStream(from: KTable<VectorKey, Value>, key: FunctionRef, options: { readonly name?: string }): unknown {
  return from.toStream(options).selectKey(selector(key) as (value: Value, key: VectorKey) => string, { key: string() });
}
