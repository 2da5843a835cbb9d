import { TaskCorruptedError } from '@millrace/core';
import type { Fetcher } from '@millrace/client';
import type { SubtopologyPlan } from '@millrace/topology';
import type { StreamsComponents } from '../components.ts';
import type { DeserializationErrorHandler } from '../errors/deserialization-error-handler.ts';
import { contextFields } from '../errors/error-handler-context.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import { StreamTask } from '../task/stream-task.ts';
import { type GlobalPartition, stateFits } from './global-partitions.ts';
import { noAppender } from './no-appender.ts';

/** As in Kafka Streams; no task of a sub-topology has it. */
const GLOBAL_TASK_ID = { subtopology: -1, partition: -1 };

/** The part of the memory for unchanged rows that global stores get; the tasks share the rest. */
export const GLOBAL_CACHE_SHARE = 0.25;

export interface GlobalTaskOptions {
  readonly subtopology: SubtopologyPlan;
  readonly settings: ResolvedSettings;
  readonly components: StreamsComponents;
  /** Where the rows are kept. */
  readonly directory: string;
}

/**
 * Opens the task that holds the global stores of the process: it reads all partitions, waits for none, and commits nothing to
 * Kafka. Local state that is damaged or that cannot have come from the topics is put aside; the task begins anew then.
 */
export async function openGlobalTask(
  options: GlobalTaskOptions,
  partitions: readonly GlobalPartition[],
  fetcher: Fetcher,
): Promise<StreamTask> {
  const { components, directory } = options;
  try {
    const task = await open(options, partitions, fetcher);
    if (stateFits(task, partitions)) return task;
    components.logger.warn('the global stores lie outside their topics; they are put aside and loaded anew', { directory });
    await task.close({ clean: false });
  } catch (error) {
    if (!(error instanceof TaskCorruptedError)) throw error;
    components.logger.warn('the global stores are damaged; they are put aside and loaded anew', { directory, error });
  }
  await components.engine.quarantine(directory);
  return open(options, partitions, fetcher);
}

function open(options: GlobalTaskOptions, partitions: readonly GlobalPartition[], fetcher: Fetcher): Promise<StreamTask> {
  const { subtopology, settings, components, directory } = options;
  return StreamTask.open({
    id: GLOBAL_TASK_ID,
    subtopology,
    inputPartitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
    settings: { ...settings, maxTaskIdleMs: -1, deadLetterTopic: undefined, maxTimestampAheadMs: 0 },
    components: {
      ...components,
      // As in Kafka Streams, what a processor of a global store throws is never skipped.
      onProcessingError: undefined,
      onDeserializationError: withoutDeadLetters(components),
    },
    directory,
    appender: noAppender,
    progress: fetcher,
    cleanCacheBytes: Math.floor(settings.stateCacheBytes * GLOBAL_CACHE_SHARE),
  });
}

/** As in Kafka Streams: nothing is written for a global store, which every process fills for itself. */
function withoutDeadLetters({
  onDeserializationError: handler,
  logger,
}: StreamsComponents): DeserializationErrorHandler | undefined {
  return (
    handler && {
      handle(context, record, error) {
        const { decide, deadLetters = [] } = handler.handle(context, record, error);
        if (deadLetters.length > 0) logger.warn('a global store writes no dead letters', contextFields(context, error));
        return { decide };
      },
    }
  );
}
