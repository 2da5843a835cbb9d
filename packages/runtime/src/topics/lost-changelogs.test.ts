import { describe, expect, it } from 'vitest';
import { silentLogger, type TopicPartition } from '@millrace/core';
import type { InternalTopic } from './internal-topics.ts';
import { refuseLostChangelogs } from './lost-changelogs.ts';

const changelog: InternalTopic = { name: 'app-counts-changelog', partitions: 1, configs: {}, store: 'counts', subtopology: 1 };
const repartition: InternalTopic = { name: 'app-keyed', partitions: 1, configs: {} };

function refuse(
  missing: readonly InternalTopic[],
  committed: Record<string, number>,
  allowRebuild = false,
  metadata = 'Ag==',
): Promise<void> {
  return refuseLostChangelogs(missing, {
    offsets: {
      committed: async (_group: string, partitions: readonly TopicPartition[]) =>
        partitions.map((at) => ({ ...at, offset: committed[at.topic] ?? -1, metadata })),
    },
    groupId: 'app',
    inputsOf: (subtopology) => [{ topic: `in-${subtopology}`, partition: 0 }],
    allowRebuild,
    logger: silentLogger,
  });
}

describe('F19: a changelog that is missing', () => {
  it('is not made anew when inputs of its tasks have been processed', async () => {
    await expect(refuse([repartition, changelog], { 'in-1': 0 })).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'CHANGELOG_MISSING',
      topic: 'app-counts-changelog',
      store: 'counts',
      message: expect.stringContaining('allowChangelogRebuild'),
    });
  });

  it.each<readonly [when: string, missing: readonly InternalTopic[], committed: Record<string, number>, allowRebuild: boolean]>([
    ['nothing has been processed', [changelog], {}, false],
    ['only inputs of other tasks have been processed', [changelog], { 'in-0': 5 }, false],
    ['the user allows it', [changelog], { 'in-1': 5 }, true],
    ['it is a repartition topic', [repartition], { 'in-1': 5 }, false],
  ])('is made when %s', async (_when, missing, committed, allowRebuild) => {
    await expect(refuse(missing, committed, allowRebuild)).resolves.toBeUndefined();
  });
  it('is made when the offsets were set by a reset', async () => {
    await expect(refuse([changelog], { 'in-1': 5 }, false, '')).resolves.toBeUndefined();
  });
});
