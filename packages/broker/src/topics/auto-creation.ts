import type { Clock } from '@millrace/core';
import { isInternalTopic } from './topic-name.ts';
import type { TopicRegistry } from './topic-registry.ts';

/** Creates topics that somebody has asked for: a moment later, so that the question itself is answered with "unknown". */
export function autoCreation(topics: TopicRegistry, clock: Clock, partitions: number): (name: string) => void {
  const coming = new Set<string>();
  return (name) => {
    if (coming.has(name) || isInternalTopic(name)) return;
    coming.add(name);
    clock.setTimer(0, () => {
      coming.delete(name);
      if (topics.get(name) === undefined) topics.create(name, partitions, new Map());
    });
  };
}
