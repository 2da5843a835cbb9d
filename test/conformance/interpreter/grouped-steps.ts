import {
  type CogroupedKStream,
  type KGroupedStream,
  type SessionWindowedCogroupedKStream,
  type SessionWindowedKStream,
  SessionWindows,
  SlidingWindows,
  type TimeWindowedCogroupedKStream,
  type TimeWindowedKStream,
  type WindowedOptions,
} from '@millrace/dsl';
import { aggregator, merger, reducer, type Value } from '../functions.ts';
import type { FunctionRef, StepJson, WindowJson } from '../vector.ts';
import type { Graph } from './graph.ts';
import { materialized } from './materialized.ts';
import { named } from './source-steps.ts';
import type { VectorKey } from './vector-topics.ts';
import { windowsOf } from './window-definitions.ts';

/** A value that is there. */
type SomeValue = NonNullable<Value>;

/** A step on a stream that has been grouped. */
export function groupedStep(from: KGroupedStream<VectorKey, Value>, step: StepJson): unknown {
  if (step.op === 'cogroup') return from.cogroup<Value>(aggregator(step.aggregator as FunctionRef));
  if (step.op !== 'windowedBy') return aggregationStep(from, step);
  const windows = windowsOf(step.window as WindowJson);
  if (windows instanceof SessionWindows) return from.windowedBy(windows, emitOf(step));
  if (windows instanceof SlidingWindows) return from.windowedBy(windows, emitOf(step));
  return from.windowedBy(windows, emitOf(step));
}

function emitOf({ emit }: StepJson): WindowedOptions {
  if (emit === undefined) return {};
  return { emit: emit === 'onWindowClose' ? 'on-window-close' : 'on-window-update' };
}

/** A step on several grouped streams. */
export function cogroupedStep(from: CogroupedKStream<VectorKey, Value>, step: StepJson, graph: Graph): unknown {
  switch (step.op) {
    case 'cogroup': {
      const grouped = graph.get(step.with) as KGroupedStream<VectorKey, Value>;
      return from.cogroup(grouped, aggregator(step.aggregator as FunctionRef));
    }
    case 'windowedBy': {
      const windows = windowsOf(step.window as WindowJson);
      return windows instanceof SessionWindows ? from.windowedBy(windows) : from.windowedBy(windows);
    }
    default:
      return cogroupAggregateStep(from, step);
  }
}

/** `aggregate` of several grouped streams, by window of time or not. */
export function cogroupAggregateStep(
  from: CogroupedKStream<VectorKey, Value> | TimeWindowedCogroupedKStream<VectorKey, Value>,
  step: StepJson,
): unknown {
  if (step.op !== 'aggregate') throw new Error(`no step on a cogrouped stream is called ${step.op}`);
  return from.aggregate(() => step.init ?? null, { ...named(step), ...materialized(step.store) });
}

/** `aggregate` of several grouped streams by session. */
export function cogroupSessionStep(from: SessionWindowedCogroupedKStream<VectorKey, Value>, step: StepJson): unknown {
  if (step.op !== 'aggregate') throw new Error(`no step on cogrouped sessions is called ${step.op}`);
  const options = { ...named(step), ...materialized(step.store) };
  return from.aggregate(() => step.init ?? null, merger(step.merger as FunctionRef), options);
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
