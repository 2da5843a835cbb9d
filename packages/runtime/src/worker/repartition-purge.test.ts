import { describe, expect, it } from 'vitest';
import { silentLogger } from '@millrace/core';
import type { Admin, OffsetCommit } from '@millrace/client';
import { RepartitionPurge } from './repartition-purge.ts';

type Deletion = readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];

class Stage {
  readonly deletions: Deletion[] = [];
  /** Answers to the calls, in order; after that they succeed. */
  readonly failures: Error[] = [];
  /** Settles the call that is under way. */
  finish: () => void = () => undefined;
  holds = false;

  readonly purge = new RepartitionPurge(
    {
      admin: { deleteRecords: (offsets: Deletion) => this.#delete(offsets) } as unknown as Admin,
      logger: silentLogger,
      intervalMs: 1000,
      isRepartitionTopic: (topic) => topic.endsWith('-repartition'),
    },
    0,
  );

  async #delete(offsets: Deletion): Promise<void> {
    this.deletions.push(offsets);
    if (this.holds) {
      await new Promise<void>((resolve) => {
        this.finish = resolve;
      });
    }
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }
}

const at = (topic: string, partition: number, offset: number): OffsetCommit => ({ topic, partition, offset, metadata: '' });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('RepartitionPurge', () => {
  it('deletes below the latest committed offset of each repartition partition, and of nothing else', () => {
    const { purge, deletions } = new Stage();
    purge.committed([at('a-repartition', 0, 5), at('input', 0, 90)], 100);
    purge.committed([at('a-repartition', 0, 8), at('a-repartition', 1, 2)], 1000);
    expect(deletions).toEqual([
      [
        { topic: 'a-repartition', partition: 0, offset: 8 },
        { topic: 'a-repartition', partition: 1, offset: 2 },
      ],
    ]);
  });

  it('waits for the interval, and does not ask again for what it has asked for', async () => {
    const { purge, deletions } = new Stage();
    purge.committed([at('a-repartition', 0, 5)], 999);
    expect(deletions).toEqual([]);
    purge.committed([], 1000);
    await settled();
    purge.committed([], 5000);
    expect(deletions).toHaveLength(1);
  });

  it('makes one request at a time', async () => {
    const stage = new Stage();
    stage.holds = true;
    stage.purge.committed([at('a-repartition', 0, 5)], 1000);
    stage.purge.committed([at('a-repartition', 0, 6)], 3000);
    expect(stage.deletions).toHaveLength(1);
    stage.finish();
    await settled();
    stage.purge.committed([], 3001);
    expect(stage.deletions.at(-1)).toEqual([{ topic: 'a-repartition', partition: 0, offset: 6 }]);
  });

  it('survives a failure and purges with the next commit', async () => {
    const stage = new Stage();
    stage.failures.push(new Error('not authorized'));
    stage.purge.committed([at('a-repartition', 0, 5)], 1000);
    await settled();
    stage.purge.committed([at('a-repartition', 0, 7)], 2000);
    expect(stage.deletions.at(-1)).toEqual([{ topic: 'a-repartition', partition: 0, offset: 7 }]);
  });
});
