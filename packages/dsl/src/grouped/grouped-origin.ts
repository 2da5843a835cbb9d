import type { Serde } from '@millrace/core';
import type { GraphNode } from '../graph/graph-node.ts';
import type { StreamOrigin } from '../origin/origins.ts';

/** A stream that is grouped by its keys, before it is said what becomes of the groups. */
export interface GroupedOrigin<K, V> {
  readonly stream: StreamOrigin<K, V>;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V> | undefined;
  /** The user's name for the repartition topic. */
  readonly topicName: string | undefined;
  /** The repartition topic that aggregations of this group share, when the user named it. */
  repartition: GraphNode | undefined;
}
