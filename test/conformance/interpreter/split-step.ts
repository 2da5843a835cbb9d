import type { KStream } from '@millrace/dsl';
import { predicate, type Value } from '../functions.ts';
import type { StepJson } from '../vector.ts';
import type { Graph } from './graph.ts';
import { named } from './source-steps.ts';
import type { VectorKey } from './vector-topics.ts';

/** A split gives several streams, each under the id of its branch. */
export function splitStep(from: KStream<VectorKey, Value>, step: StepJson, graph: Graph): void {
  const branches = step.branches ?? [];
  const streams = from.split(
    branches.map((branch) => ({ predicate: predicate(branch.fn), ...named(branch) })),
    { ...named(step), ...(step.default === undefined ? {} : { default: named(step.default) }) },
  );
  for (const [index, branch] of branches.entries()) graph.set(branch.id, streams[index]);
  if (step.default !== undefined) graph.set(step.default.id, streams[branches.length]);
}
