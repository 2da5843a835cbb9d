import { topicPartitionKey, type Logger } from '@millrace/core';
import type { Fetcher } from '@millrace/client';
import type { ChangelogProgress } from '../restore/changelog-progress.ts';
import type { RestoreListener } from '../restore/restore-listener.ts';
import type { StreamTask } from '../task/stream-task.ts';

/** How long the loader waits for data before it looks at its signal again. */
const WAIT_MS = 500;

export interface RawLoadOptions {
  readonly task: StreamTask;
  readonly fetcher: Fetcher;
  readonly tell: RestoreTeller;
}

/**
 * Loads the rows of global tables as they stand in their topics, without user code, up to the ends of the start.
 *
 * What was loaded before an interruption is kept.
 */
export async function loadRaw(
  { task, fetcher, tell }: RawLoadOptions,
  progresses: readonly ChangelogProgress[],
  signal: AbortSignal,
): Promise<void> {
  const open = new Map<string, ChangelogProgress>();
  for (const progress of progresses) {
    if (progress.done) continue;
    const { topic, partition, startOffset } = progress;
    open.set(topicPartitionKey(topic, partition), progress);
    tell('onRestoreStart', progress);
    fetcher.assign(topic, partition, startOffset);
  }
  try {
    while (open.size > 0) {
      signal.throwIfAborted();
      for (const { error } of fetcher.takeFailures()) throw error;
      const fetched = fetcher.take();
      if (fetched === undefined) {
        await fetcher.wait(WAIT_MS, signal);
        continue;
      }
      const key = topicPartitionKey(fetched.topic, fetched.partition);
      const progress = open.get(key);
      if (progress === undefined) continue;
      const records = await task.applyRestored(fetched);
      progress.advance(fetched.nextOffset, records, fetched.byteLength);
      tell('onBatchRestored', progress, records);
      if (!progress.done) continue;
      open.delete(key);
      fetcher.unassign(fetched.topic, fetched.partition);
      tell('onRestoreEnd', progress);
    }
  } finally {
    for (const progress of open.values()) tell('onRestoreSuspended', progress);
  }
}

/** Calls a restore listener; what it throws is logged and ignored. */
export type RestoreTeller = (event: keyof RestoreListener, progress: ChangelogProgress, records?: number) => void;

export function restoreTeller(listener: RestoreListener, logger: Logger): RestoreTeller {
  return (event, progress, records = 0) => {
    try {
      listener[event]?.(progress, records);
    } catch (error) {
      logger.warn('a restore listener failed', { event, error });
    }
  };
}
