import { json, type Serde, string } from '@millrace/core';
import {
  CogroupedKStream,
  KGroupedStream,
  KGroupedTable,
  KStream,
  KTable,
  SessionWindowedCogroupedKStream,
  SessionWindowedKStream,
  StreamsBuilder,
  TimeWindowedCogroupedKStream,
  TimeWindowedKStream,
} from '@millrace/dsl';
import type { Topology } from '@millrace/topology';
import type { Value } from '../functions.ts';
import type { StepJson, Vector } from '../vector.ts';
import { Graph } from './graph.ts';
import {
  aggregationStep,
  cogroupAggregateStep,
  cogroupedStep,
  cogroupSessionStep,
  groupedStep,
  sessionStep,
} from './grouped-steps.ts';
import { sourceStep } from './source-steps.ts';
import { splitStep } from './split-step.ts';
import { streamStep } from './stream-steps.ts';
import { groupedTableStep, tableStep } from './table-steps.ts';
import type { VectorKey } from './vector-topics.ts';

/** Builds the topology of a vector with Millrace's DSL. */
export function interpret(vector: Vector): Topology {
  const builder = new StreamsBuilder({ defaultKeySerde: string() as Serde<never>, defaultValueSerde: json() as Serde<never> });
  const graph = new Graph();
  for (const step of vector.topology) {
    if (step.op === 'split') splitStep(graph.get(step.from) as KStream<VectorKey, Value>, step, graph);
    else graph.set(step.id, step.from === undefined ? sourceStep(builder, step) : derivedStep(step, graph));
  }
  return builder.build({ optimization: vector.config?.optimization ?? 'none' });
}

function derivedStep(step: StepJson, graph: Graph): unknown {
  const from = graph.get(step.from);
  if (from instanceof KStream) return streamStep(from, step, graph);
  if (from instanceof KTable) return tableStep(from, step, graph);
  if (from instanceof KGroupedTable) return groupedTableStep(from, step);
  if (from instanceof KGroupedStream) return groupedStep(from, step);
  if (from instanceof TimeWindowedKStream) return aggregationStep(from, step);
  if (from instanceof SessionWindowedKStream) return sessionStep(from, step);
  if (from instanceof CogroupedKStream) return cogroupedStep(from, step, graph);
  if (from instanceof TimeWindowedCogroupedKStream) return cogroupAggregateStep(from, step);
  if (from instanceof SessionWindowedCogroupedKStream) return cogroupSessionStep(from, step);
  throw new Error(`the step ${step.op} follows something that has no operators`);
}
