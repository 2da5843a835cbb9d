import type { TopicConfigs } from '../configs/topic-configs.ts';
import type { PartitionLog } from '../log/partition-log.ts';

/** A topic: its configuration and the logs of its partitions. */
export interface Topic {
  readonly name: string;
  readonly id: string;
  readonly configs: TopicConfigs;
  readonly partitions: PartitionLog[];
  readonly isInternal: boolean;
}
