import { TopologyError } from '@millrace/core';
import type { SourceSpec } from '@millrace/topology';
import type { GraphNode } from './graph-node.ts';
import type { LogicalGraph } from './logical-graph.ts';

/**
 * Makes one source of all `stream()` calls for the same topics: a topic can be read once only.
 *
 * @throws TopologyError `OVERLAPPING_SOURCES` when two read some of the same topics, but not all
 *
 * Source: Kafka Streams `InternalStreamsBuilder.mergeDuplicateSourceNodes`.
 */
export function mergeDuplicateSources(graph: LogicalGraph): void {
  const mains = new Map<string, { readonly node: GraphNode; readonly spec: SourceSpec }>();
  for (const node of [...graph.root.children]) {
    if (node.content.kind !== 'source') continue;
    const { spec } = node.content;
    for (const topic of spec.topics instanceof RegExp ? [String(spec.topics)] : spec.topics) {
      const main = mains.get(topic);
      if (main === undefined) mains.set(topic, { node, spec });
      else if (main.node !== node) merge(graph, main, { node, spec });
    }
  }
}

interface Source {
  readonly node: GraphNode;
  readonly spec: SourceSpec;
}

function merge(graph: LogicalGraph, main: Source, other: Source): void {
  if (graph.current(other.node) !== other.node) return;
  if (topicsKey(main.spec) !== topicsKey(other.spec)) {
    throw new TopologyError(
      'OVERLAPPING_SOURCES',
      `${describe(main.spec)} and ${describe(other.spec)} share topics but are not equal; read each topic by its own stream() and merge() them`,
    );
  }
  if (main.spec.offsetReset !== other.spec.offsetReset) {
    throw new TopologyError(
      'OFFSET_RESET_CONFLICT',
      `${describe(main.spec)} is read twice with different offsetReset (${main.spec.offsetReset ?? 'default'}, ${other.spec.offsetReset ?? 'default'}); use one`,
    );
  }
  graph.replace(other.node, main.node);
}

function topicsKey({ topics }: SourceSpec): string {
  return topics instanceof RegExp ? String(topics) : [...new Set(topics)].sort().join(' ');
}

function describe({ topics }: SourceSpec): string {
  return topics instanceof RegExp ? `stream(${String(topics)})` : `stream(${topics.join(', ')})`;
}
