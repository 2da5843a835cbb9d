import type { TopicPartition } from '@millrace/core';

/** Groups partitions by topic, in the shape in which requests list them. */
export function groupByTopic<P extends TopicPartition, Q>(
  partitions: Iterable<P>,
  map: (partition: P) => Q,
): { readonly topic: string; readonly partitions: Q[] }[] {
  const groups = new Map<string, Q[]>();
  for (const one of partitions) {
    const same = groups.get(one.topic);
    if (same === undefined) groups.set(one.topic, [map(one)]);
    else same.push(map(one));
  }
  return Array.from(groups, ([topic, grouped]) => ({ topic, partitions: grouped }));
}
