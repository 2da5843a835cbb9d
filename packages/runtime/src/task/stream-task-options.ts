import type { TaskId, TopicPartition } from '@millrace/core';
import type { BatchAppender } from '@millrace/client';
import type { StateStore } from '@millrace/state';
import type { SubtopologyPlan } from '@millrace/topology';
import type { StreamsComponents } from '../components.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import type { InputProgress } from './partition-group.ts';

/** The settings that a task looks at. */
export type TaskSettings = Pick<
  ResolvedSettings,
  'applicationId' | 'guarantee' | 'maxTaskIdleMs' | 'bufferedBytesPerPartition' | 'cacheMaxBytes' | 'emitIntervalMs'
> &
  // The first is absent where time is virtual: nothing takes long there. The others are for global stores, which have neither.
  Partial<Pick<ResolvedSettings, 'processingTimeoutMs' | 'deadLetterTopic' | 'maxTimestampAheadMs'>>;

/** The components that a task works with. */
export type TaskComponents = Pick<
  StreamsComponents,
  'engine' | 'clock' | 'random' | 'logger' | 'metrics' | 'onDeserializationError' | 'onProcessingError' | 'onProductionError'
>;

/** Everything that a task is made of. */
export interface StreamTaskOptions {
  readonly id: TaskId;
  readonly subtopology: SubtopologyPlan;
  /** Names on the broker; at most one partition of a topic, except for the task of the global stores. */
  readonly inputPartitions: readonly TopicPartition[];
  readonly settings: TaskSettings;
  readonly components: TaskComponents;
  /** Of the task's state. */
  readonly directory: string;
  /** Where sinks and changelogs write to. */
  readonly appender: BatchAppender;
  /** What is known of the ends of the input partitions: the fetcher. */
  readonly progress: InputProgress;
  /** Bytes of clean rows kept in memory, for all stores of the task together. */
  readonly cleanCacheBytes: number;
  /** Global stores by name: every node may read them, none may write to them. */
  readonly globalStores?: ReadonlyMap<string, StateStore> | undefined;
}
