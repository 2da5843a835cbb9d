import { FatalStreamsError, TaskCorruptedError, type StreamsError } from '@millrace/core';
import type { FetchFailure } from '@millrace/client';
import type { TaskChangelog } from '../task-state/task-state.ts';

/** First offset and end of a changelog. */
export interface ChangelogBounds {
  readonly start: number;
  readonly end: number;
}

/**
 * What is wrong between the local state of a store and its changelog; `undefined`: they fit.
 *
 * Local state is written only after Kafka has the records, so that state which lies outside the changelog cannot have come from it as
 * it is now: its beginning was deleted, or the topic is another one.
 *
 * @param allowRebuild whether a changelog that is empty although there is state may be taken for what it says
 */
export function mismatch(
  taskId: string,
  { store, topic, partition, offset }: TaskChangelog,
  { start, end }: ChangelogBounds,
  allowRebuild: boolean,
): StreamsError | undefined {
  if (offset === undefined || (offset >= start && offset <= end)) return undefined;
  const where = { taskId, topic, partition, offset, store };
  if (end === 0 && !allowRebuild) {
    return new FatalStreamsError(
      'CHANGELOG_MISSING',
      `the changelog is empty, but the local state was written from its first ${offset} offsets: it was deleted and made anew. ` +
        'Bring it back; or reset the application (offsets, internal topics, local state); or set allowChangelogRebuild to begin with an empty store',
      where,
    );
  }
  return new TaskCorruptedError(
    'CHANGELOG_MISMATCH',
    `the local state is at changelog offset ${offset}, the changelog has ${start} to ${end}; the state is put aside and restored from the start`,
    where,
  );
}

/** What follows from a changelog that cannot be read while a task follows it. */
export function unreadable(taskId: string, { topic, partition, position, reason, error }: FetchFailure): Error {
  if (reason === 'offset-out-of-range') {
    return new TaskCorruptedError(
      'CHANGELOG_TRUNCATED',
      'the changelog was truncated while the state was being restored; the state is put aside and restored from the start',
      { taskId, topic, partition, offset: position, cause: error },
    );
  }
  if (reason === 'unknown-topic') {
    return new FatalStreamsError(
      'CHANGELOG_MISSING',
      'the changelog was deleted while the state was being restored. Bring it back, or reset the application (offsets, internal topics, local state)',
      { taskId, topic, partition, offset: position, cause: error },
    );
  }
  return error;
}

/** Records would be processed again, on top of the state that they have made already. */
export function offsetsMissing(taskId: string, topic: string, partition: number, evidence: string): FatalStreamsError {
  return new FatalStreamsError(
    'OFFSETS_MISSING',
    `the group has no committed offset for this input, but ${evidence}: the offsets have expired, the group was deleted, or the topic was deleted (and made again). ` +
      "Processing from the offset reset policy would count records twice. Set the group's offsets; or reset the application (internal topics, local state); or set onMissingOffsets to 'reset' to go on all the same",
    { taskId, topic, partition },
  );
}
