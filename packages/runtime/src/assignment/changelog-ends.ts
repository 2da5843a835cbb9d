import { topicPartitionKey, type Clock, type Logger } from '@millrace/core';
import type { Offsets } from '@millrace/client';
import type { TaskToPlace } from './placement/placement-input.ts';
import type { PlannedTask } from './plan-tasks.ts';

/** The whole group waits for the leader: an assignment without lags comes before one that comes late. */
const LOOK_UP_MS = 3_000;

export interface ChangelogEndsOptions {
  readonly offsets: Offsets;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks up where the changelogs of the tasks end. If that fails or takes too long, the ends are unknown. */
export async function withChangelogEnds(
  tasks: readonly PlannedTask[],
  { offsets, clock, logger }: ChangelogEndsOptions,
): Promise<TaskToPlace[]> {
  const partitions = tasks.flatMap(({ changelogs }) => changelogs);
  const controller = new AbortController();
  const cancelTimer = clock.setTimer(LOOK_UP_MS, () => controller.abort());
  let ends: ReadonlyMap<string, number> = new Map();
  try {
    if (partitions.length > 0) ends = await offsets.list(partitions, 'latest', controller.signal);
  } catch (error) {
    logger.warn('the ends of the changelogs are unknown; tasks stay where their state is until they can be looked up', { error });
  } finally {
    cancelTimer();
  }
  return tasks.map(({ id, changelogs }) => ({ id, stateful: changelogs.length > 0, changelogEnd: sumOf(changelogs, ends) }));
}

function sumOf(changelogs: PlannedTask['changelogs'], ends: ReadonlyMap<string, number>): number | undefined {
  let sum = 0;
  for (const { topic, partition } of changelogs) {
    const end = ends.get(topicPartitionKey(topic, partition));
    if (end === undefined) return undefined;
    sum += end;
  }
  return sum;
}
