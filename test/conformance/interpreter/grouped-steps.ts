import { type KGroupedStream, SessionWindows, type SessionWindowedKStream, type TimeWindowedKStream } from '@millrace/dsl';
import { aggregator, merger, reducer, type Value } from '../functions.ts';
import type { FunctionRef, StepJson, WindowJson } from '../vector.ts';
import { materialized } from './materialized.ts';
import { named } from './source-steps.ts';
import type { VectorKey } from './vector-topics.ts';
import { windowsOf } from './window-definitions.ts';

/** A value that is there. */
type SomeValue = NonNullable<Value>;

/** A step on a stream that has been grouped. */
export function groupedStep(from: KGroupedStream<VectorKey, Value>, step: StepJson): unknown {
  if (step.op !== 'windowedBy') return aggregationStep(from, step);
  const windows = windowsOf(step.window as WindowJson);
  return windows instanceof SessionWindows ? from.windowedBy(windows) : from.windowedBy(windows);
}

/** `count`, `reduce` and `aggregate` of groups and of time windows. */
export function aggregationStep(
  from: KGroupedStream<VectorKey, Value> | TimeWindowedKStream<VectorKey, Value>,
  step: StepJson,
): unknown {
  const options = { ...named(step), ...materialized(step.store) };
  switch (step.op) {
    case 'count':
      return from.count(options);
    case 'reduce':
      return from.reduce(reducer(step.reducer as FunctionRef), options);
    case 'aggregate':
      return from.aggregate<Value>(() => step.init ?? null, aggregator(step.aggregator as FunctionRef), options);
    default:
      throw new Error(`no step on a grouped stream is called ${step.op}`);
  }
}

/** `count`, `reduce` and `aggregate` of sessions. */
export function sessionStep(from: SessionWindowedKStream<VectorKey, Value>, step: StepJson): unknown {
  const options = { ...named(step), ...materialized(step.store) };
  switch (step.op) {
    case 'count':
      return from.count(options);
    case 'reduce':
      return from.reduce(reducer(step.reducer as FunctionRef) as (a: SomeValue, b: Value) => SomeValue, options);
    case 'aggregate':
      return from.aggregate<Value>(
        () => step.init ?? null,
        aggregator(step.aggregator as FunctionRef),
        merger(step.merger as FunctionRef),
        options,
      );
    default:
      throw new Error(`no step on sessions is called ${step.op}`);
  }
}
