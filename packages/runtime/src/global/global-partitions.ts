import { type Clock, TopologyError, type TopicPartition, topicPartitionKey } from '@millrace/core';
import type { KafkaClient } from '@millrace/client';
import type { GlobalStoreSpec } from '@millrace/topology';
import { ChangelogProgress } from '../restore/changelog-progress.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { globalTopic } from './global-subtopology.ts';

/** One partition of the topic of a global store, with its bounds as of the start. */
export interface GlobalPartition extends TopicPartition {
  readonly store: string;
  /** True when loading runs the processor of the store; else the topic's bytes are loaded as they are. */
  readonly reprocesses: boolean;
  readonly startOffset: number;
  readonly endOffset: number;
}

/**
 * Looks up all partitions of the topics of global stores.
 *
 * @param end what counts as the end: the last stable offset where only committed records are read
 * @throws TopologyError `SOURCE_TOPIC_MISSING`
 */
export async function findGlobalPartitions(
  client: Pick<KafkaClient, 'admin' | 'offsets'>,
  stores: readonly GlobalStoreSpec[],
  end: 'latest' | 'latest-stable',
  signal: AbortSignal,
): Promise<GlobalPartition[]> {
  const topics = await client.admin.describeTopics(stores.map(globalTopic), signal);
  const partitions = stores.flatMap((spec) => {
    const topic = globalTopic(spec);
    const described = topics.get(topic);
    if (described === undefined) throw topicMissing(topic, spec.builder.name);
    return Array.from({ length: described.partitions }, (_, partition) => ({ topic, partition, spec }));
  });
  const [starts, ends] = await Promise.all([
    client.offsets.list(partitions, 'earliest', signal),
    client.offsets.list(partitions, end, signal),
  ]);
  return partitions.map(({ topic, partition, spec }) => {
    const key = topicPartitionKey(topic, partition);
    return {
      topic,
      partition,
      store: spec.builder.name,
      reprocesses: spec.reprocessOnRestore,
      startOffset: starts.get(key) ?? 0,
      endOffset: ends.get(key) ?? 0,
    };
  });
}

/** True when what the task has stored can have come from the topics as they are now. */
export function stateFits(task: StreamTask, partitions: readonly GlobalPartition[]): boolean {
  return partitions.every(({ store, partition, startOffset, endOffset }) => {
    const offset = task.sourceOffset(store, partition);
    return offset === undefined || (offset >= startOffset && offset <= endOffset);
  });
}

/** How far the task has come with a partition, and how far it has to go until it is loaded. */
export function progressOf(task: StreamTask, at: GlobalPartition, clock: Clock): ChangelogProgress {
  const { store, topic, partition, startOffset, endOffset } = at;
  const where = { taskId: task.taskId, store, topic, partition };
  return new ChangelogProgress(where, task.sourceOffset(store, partition) ?? startOffset, endOffset, clock);
}

function topicMissing(topic: string, store: string): TopologyError {
  return new TopologyError(
    'SOURCE_TOPIC_MISSING',
    `the topic of global store ${store} does not exist; create it before the application starts`,
    { topic, store },
  );
}
