import { MetricsRegistry, seededRandom, silentLogger, systemClock } from '@millrace/core';
import { memoryEngine } from '@millrace/state';
import type { TaskComponents, TaskSettings } from '../task/stream-task-options.ts';

/** Settings of tasks in tests: nothing is cached, nothing waits. */
export const taskSettings: TaskSettings = {
  applicationId: 'app',
  guarantee: 'exactly_once_v2',
  maxTaskIdleMs: 0,
  bufferedBytesPerPartition: 1024,
  cacheMaxBytes: 0,
  emitIntervalMs: 0,
};

/** Components of a task in tests: all in memory, and silent. */
export function taskComponents(given: Partial<TaskComponents> = {}): TaskComponents {
  return {
    engine: memoryEngine(),
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    ...given,
  };
}
