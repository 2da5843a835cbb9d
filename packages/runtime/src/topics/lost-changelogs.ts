import { FatalStreamsError, type Logger, type TopicPartition } from '@millrace/core';
import type { Offsets } from '@millrace/client';
import type { InternalTopic } from './internal-topics.ts';

export interface LostChangelogsOptions {
  readonly offsets: Pick<Offsets, 'committed'>;
  readonly groupId: string;
  /** All input partitions of a sub-topology. */
  readonly inputsOf: (subtopology: number) => readonly TopicPartition[];
  /** Missing changelogs may be made anew. */
  readonly allowRebuild: boolean;
  readonly logger: Logger;
}

/**
 * Refuses to make a changelog anew where input has been processed already: what the store held would silently be gone.
 *
 * @throws FatalStreamsError `CHANGELOG_MISSING`
 */
export async function refuseLostChangelogs(missing: readonly InternalTopic[], options: LostChangelogsOptions): Promise<void> {
  const { offsets, groupId, inputsOf, allowRebuild, logger } = options;
  const changelogs = missing.filter(({ subtopology }) => subtopology !== undefined);
  const inputs = [...new Set(changelogs.map(({ subtopology }) => subtopology as number))].flatMap(inputsOf);
  if (inputs.length === 0) return;
  // What a task commits says how far time had come. Without that it was set from outside, by a reset: nothing was processed.
  const committed = (await offsets.committed(groupId, inputs)).filter(({ offset, metadata }) => offset >= 0 && metadata !== '');
  const consumed = new Set(committed.map(({ topic }) => topic));
  const lost = changelogs.filter(({ subtopology }) => inputsOf(subtopology as number).some(({ topic }) => consumed.has(topic)));
  const [first] = lost;
  if (first === undefined) return;
  const topics = lost.map(({ name }) => name);
  if (allowRebuild) {
    logger.warn('missing changelogs are made anew; what their stores held is gone', { topics });
    return;
  }
  throw new FatalStreamsError(
    'CHANGELOG_MISSING',
    `${topics.join(', ')}: missing, although the group has committed offsets of the inputs of the same tasks. ` +
      'If it was deleted: bring it back, or reset the application (offsets, internal topics, local state). ' +
      'If the store is new in this version, or may begin empty: start with allowChangelogRebuild',
    { topic: first.name, store: first.store },
  );
}
