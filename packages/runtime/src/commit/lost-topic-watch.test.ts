import { describe, expect, it } from 'vitest';
import { silentLogger } from '@millrace/core';
import type { BatchAppender, GroupMetadata, TopicDescription } from '@millrace/client';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { LostTopicWatch } from './lost-topic-watch.ts';

const group: GroupMetadata = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: undefined };

class Stage {
  readonly clock = new ManualClock();
  readonly calls: string[] = [];
  readonly topics = new Map<string, TopicDescription>([
    ['app-counts-changelog', { name: 'app-counts-changelog', partitions: 1 }],
    ['orders', { name: 'orders', partitions: 1 }],
  ]);
  finish: () => void = () => undefined;
  readonly watch = new LostTopicWatch(
    {
      appender: {} as BatchAppender,
      start: () => this.#note('start'),
      commit: () =>
        new Promise<void>((resolve) => {
          this.finish = resolve;
        }),
      rollback: () => this.#note('rollback'),
      restart: () => this.#note('restart'),
      abandon: () => this.#note('abandon'),
      close: () => this.#note('close'),
    },
    {
      clock: this.clock,
      logger: silentLogger,
      internalTopics: ['app-counts-changelog'],
      inputTopics: ['orders'],
      admin: {
        describeTopics: async (names) => {
          this.calls.push('look');
          return new Map(names.map((name) => [name, this.topics.get(name)]));
        },
      },
    },
  );

  async #note(call: string): Promise<void> {
    this.calls.push(call);
  }
}

describe('LostTopicWatch', () => {
  it('does not look while commits are quick', async () => {
    const stage = new Stage();
    const committed = stage.watch.commit(group, []);
    stage.finish();
    await committed;
    await stage.clock.advance(60_000);
    expect(stage.calls).toEqual([]);
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('lets a slow commit go on as long as its topics are there', async () => {
    const stage = new Stage();
    const committed = stage.watch.commit(group, []);
    await stage.clock.advance(12_000);
    stage.finish();
    await committed;
    await stage.watch.rollback();
    await stage.watch.close();
    expect(stage.calls).toEqual(['look', 'look', 'rollback', 'close']);
  });

  it('F19: ends a commit that waits for a topic that is gone, and does not wait for it at the end', async () => {
    const stage = new Stage();
    const committed = expect(stage.watch.commit(group, [])).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'INTERNAL_TOPIC_MISSING',
      topic: 'app-counts-changelog',
    });
    stage.topics.clear();
    await stage.clock.advance(5000);
    await committed;
    await stage.watch.rollback();
    await stage.watch.close();
    expect(stage.calls).toEqual(['look', 'abandon']);
  });

  it('F21: ends a commit of offsets of an input that is gone', async () => {
    const stage = new Stage();
    const committed = expect(stage.watch.commit(group, [])).rejects.toMatchObject({
      code: 'INPUT_TOPIC_MISSING',
      topic: 'orders',
    });
    stage.topics.delete('orders');
    await stage.clock.advance(5000);
    await committed;
  });
});
