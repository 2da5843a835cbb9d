import type { PartitionLog } from '../log/partition-log.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import type { Placement } from './placement.ts';

/** The logs as one node sees them: those that it leads. */
export class LedLogs {
  readonly #topics: TopicRegistry;
  readonly #placement: Placement;

  constructor(topics: TopicRegistry, placement: Placement) {
    this.#topics = topics;
    this.#placement = placement;
  }

  /** The topic that has this id now. */
  topicWithId(topicId: string): string | undefined {
    return this.#topics.withId(topicId)?.name;
  }

  /** @throws Refusal UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER */
  logOrThrow(topic: string, partition: number, nodeId: number): PartitionLog {
    const log = this.#topics.logOrThrow(topic, partition);
    this.#placement.checkLeader(topic, partition, nodeId);
    return log;
  }

  /** The log if it is there and the node leads it. */
  log(topic: string, partition: number, nodeId: number): PartitionLog | undefined {
    return this.#placement.leaderOf(topic, partition) === nodeId ? this.#topics.log(topic, partition) : undefined;
  }
}
