import { json, string } from '@millrace/core';
import { KGroupedStream, KStream, KTable, SessionWindowedKStream, StreamsBuilder, TimeWindowedKStream } from '@millrace/dsl';
import type { Topology } from '@millrace/topology';
import type { StepJson, Vector } from '../vector.ts';
import { groupedStep, windowedStep } from './grouped-steps.ts';
import { sourceStep } from './source-steps.ts';
import { splitStep, streamStep } from './stream-steps.ts';
import { tableStep } from './table-steps.ts';

/** What the ids of a vector's steps stand for. */
export class Graph {
  readonly #nodes = new Map<string, unknown>();

  /** @throws Error when no earlier step has the id */
  get(id: string | undefined): unknown {
    if (id !== undefined && this.#nodes.has(id)) return this.#nodes.get(id);
    throw new Error(`no step before this one has the id ${id}`);
  }

  set(id: string | undefined, node: unknown): void {
    if (id !== undefined) this.#nodes.set(id, node);
  }
}

/** Builds the topology of a vector with Millrace's DSL. */
export function interpret(vector: Vector): Topology {
  const builder = new StreamsBuilder({ defaultKeySerde: string(), defaultValueSerde: json() });
  const graph = new Graph();
  for (const step of vector.topology) {
    if (step.op === 'split') splitStep(step, graph);
    else graph.set(step.id, step.from === undefined ? sourceStep(builder, step) : derivedStep(step, graph));
  }
  return builder.build();
}

function derivedStep(step: StepJson, graph: Graph): unknown {
  const from = graph.get(step.from);
  if (from instanceof KStream) return streamStep(from, step, graph);
  if (from instanceof KTable) return tableStep(from, step);
  if (from instanceof KGroupedStream) return groupedStep(from, step);
  if (from instanceof TimeWindowedKStream || from instanceof SessionWindowedKStream) return windowedStep(from, step);
  throw new Error(`the step ${step.op} follows something that has no operators`);
}
