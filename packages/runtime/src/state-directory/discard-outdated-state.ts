import type { Clock, Logger } from '@millrace/core';
import type { StateEngine } from '@millrace/state';
import type { SubtopologyPlan } from '@millrace/topology';
import type { StateDirectory } from './state-directory.ts';

/** Kafka's default of `delete.retention.ms`: how long compaction leaves tombstones in a topic. */
const TOMBSTONES_KEPT_MS = 86_400_000;

type TopicConfig = Readonly<{ [name: string]: string }>;

export interface OutdatedStateOptions {
  readonly directory: StateDirectory;
  readonly engine: StateEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly subtopology: SubtopologyPlan;
  /** Configuration of all internal topics. */
  readonly topicConfig: TopicConfig;
}

/**
 * Deletes the state of a task if nobody has written to it for so long that tombstones may be gone from its changelogs: rows that were
 * deleted in the meantime would stay for ever. All of it is restored then. To be called before the state is opened.
 *
 * Kafka Streams deletes unused state after `state.cleanup.delay.ms`, for other reasons, and only while it runs.
 */
export async function discardOutdatedState(taskId: string, options: OutdatedStateOptions): Promise<void> {
  const { directory, engine, clock, logger } = options;
  const writtenMs = directory.lastWrittenMs(taskId);
  if (writtenMs === undefined) return;
  const ageMs = clock.nowMs() - writtenMs;
  const keptMs = tombstonesKeptMs(options);
  if (ageMs < keptMs) return;
  logger.info('the local state of a task is older than tombstones live in its changelogs; all of it is restored', {
    taskId,
    ageMs: Math.round(ageMs),
    keptMs,
  });
  await engine.destroy(directory.taskPath(taskId));
}

/** The shortest time for which one of the changelogs keeps tombstones. */
function tombstonesKeptMs({ subtopology, topicConfig }: OutdatedStateOptions): number {
  const times = subtopology.stores
    .map(({ builder }): TopicConfig => ({ ...builder.changelogConfig, ...topicConfig, ...builder.changelogOverrides }))
    .map((config) => Number(config['delete.retention.ms'] ?? TOMBSTONES_KEPT_MS));
  return Math.min(...times);
}
