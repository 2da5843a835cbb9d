import { string, type Serde } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fetchedPartition, type FetchedPartitionOptions } from '../task-harness/fetched-partition.ts';
import { PartitionGroup, type InputProgress } from './partition-group.ts';
import { RecordQueue } from './record-queue.ts';

const text = string() as Serde<unknown>;
const caughtUp: InputProgress = { position: () => 5, bounds: () => ({ highWatermark: 5, lastStableOffset: 5 }) };

function groupOf(
  topics: readonly string[],
  {
    table,
    ...options
  }: {
    table?: string;
    maxTaskIdleMs?: number;
    readCommitted?: boolean;
    progress?: InputProgress;
  } = {},
) {
  const group = new PartitionGroup({ maxTaskIdleMs: 0, readCommitted: true, progress: caughtUp, ...options });
  const queues = topics.map((topic) => {
    const read = { keySerde: text, valueSerde: text, timestampExtractor: undefined };
    const source = { name: topic, ...read, feedsTable: topic === table, process: () => undefined };
    const listener = { onUnreadable: () => undefined, onNegativeTimestamp: () => undefined };
    const queue = new RecordQueue({ topic, partition: 0, source, defaultKeySerde: text, defaultValueSerde: text, listener });
    group.add(queue);
    return queue;
  });
  const fill = (topic: string, timestamps: readonly number[], fetched: FetchedPartitionOptions = {}): void => {
    const records = timestamps.map((timestamp) => ({ timestamp }));
    group.enqueue(queues[topics.indexOf(topic)] as RecordQueue, fetchedPartition(records, { ...fetched, topic }));
  };
  return { group, fill };
}

/** Takes everything; topic and timestamp of each record. */
function drain(group: PartitionGroup): [topic: string, timestamp: number][] {
  const taken: [string, number][] = [];
  for (let queue = group.take(); queue !== undefined; queue = group.take()) {
    taken.push([queue.topic, queue.timestamp]);
    queue.advance();
  }
  return taken;
}

describe('PartitionGroup', () => {
  it('takes the lowest head, ties in the order of the partitions, each partition in offset order', () => {
    const { group, fill } = groupOf(['a', 'b']);
    fill('a', [1, 9, 2]);
    fill('b', [1, 3]);
    expect(drain(group)).toEqual([
      ['a', 1],
      ['b', 1],
      ['b', 3],
      ['a', 9],
      ['a', 2],
    ]);
  });

  describe('of a table whose topic has been compacted', () => {
    const clicks = ['clicks', 2] as const;

    it('reads the rows up to where it ended first: those that belonged to earlier times are gone', () => {
      const { group, fill } = groupOf(['clicks', 'users'], { table: 'users' });
      fill('clicks', [2, 2]);
      fill('users', [5, 6], { baseOffset: 3, fetchOffset: 0, hasGaps: true });
      expect(drain(group)).toEqual([['users', 5], ['users', 6], clicks, clicks]);
    });

    it('waits for the rest of them, and goes by timestamps from there on', () => {
      const { group, fill } = groupOf(['clicks', 'users'], {
        table: 'users',
        progress: { position: () => 4, bounds: () => ({ highWatermark: 6, lastStableOffset: 6 }) },
      });
      fill('clicks', [2]);
      fill('users', [5], { baseOffset: 3, fetchOffset: 0, hasGaps: true, endOffset: 6 });
      expect(group.isReady(0)).toBe(true);
      expect(group.take()?.topic).toBe('users');
      group.queues[1]?.advance();
      expect(group.isReady(0)).toBe(false);
      fill('users', [7, 8, 1, 9], { baseOffset: 4, endOffset: 8 });
      expect(drain(group)).toEqual([['users', 7], ['users', 8], ['users', 1], clicks, ['users', 9]]);
    });

    it('forgets it when it goes back to the last commit', () => {
      const { group, fill } = groupOf(['clicks', 'users'], { table: 'users' });
      fill('users', [5], { baseOffset: 3, fetchOffset: 0, hasGaps: true });
      group.rollback();
      fill('users', [5]);
      fill('clicks', [2]);
      expect(drain(group)).toEqual([clicks, ['users', 5]]);
    });

    it('is no exception for a stream', () => {
      const { group, fill } = groupOf(['clicks', 'users']);
      fill('clicks', [2]);
      fill('users', [5], { baseOffset: 3, fetchOffset: 0, hasGaps: true });
      expect(drain(group)).toEqual([clicks, ['users', 5]]);
    });
  });

  it('has the highest timestamp taken as stream time', () => {
    const { group, fill } = groupOf(['a']);
    expect(group.streamTime).toBe(-1);
    fill('a', [5, 3]);
    drain(group);
    expect(group.streamTime).toBe(5);
  });

  it('gives the same order as merging sorted inputs', () => {
    const sorted = fc.array(fc.nat(50), { maxLength: 20 }).map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(sorted, sorted, (a, b) => {
        const { group, fill } = groupOf(['a', 'b']);
        if (a.length > 0) fill('a', a);
        if (b.length > 0) fill('b', b);
        const times = drain(group).map(([, timestamp]) => timestamp);
        expect(times).toEqual([...a, ...b].sort((x, y) => x - y));
      }),
    );
  });

  describe('when a partition is empty', () => {
    const behind: InputProgress = { position: () => 5, bounds: () => ({ highWatermark: 9, lastStableOffset: 9 }) };
    const unknown: InputProgress = { position: () => 0, bounds: () => undefined };

    it('goes on once that one is caught up', () => {
      const { group, fill } = groupOf(['a', 'b']);
      expect(group.isReady(0)).toBe(false);
      fill('a', [1]);
      expect(group.isReady(0)).toBe(true);
    });

    it('waits without limit while the broker has more of it, or that is unknown', () => {
      for (const progress of [behind, unknown]) {
        const { group, fill } = groupOf(['a', 'b'], { progress, maxTaskIdleMs: 10 });
        fill('a', [1]);
        expect(group.isReady(0)).toBe(false);
        expect(group.isReady(1e9)).toBe(false);
        expect(group.idleDeadlineMs(1e9)).toBe(Infinity);
      }
    });

    it('counts uncommitted records on the broker only when it reads them', () => {
      const progress: InputProgress = { position: () => 5, bounds: () => ({ highWatermark: 9, lastStableOffset: 5 }) };
      for (const readCommitted of [true, false]) {
        const { group, fill } = groupOf(['a', 'b'], { progress, readCommitted });
        fill('a', [1]);
        expect(group.isReady(0)).toBe(readCommitted);
      }
    });

    it('waits as long as the setting says when it is caught up, from when it became empty', () => {
      const { group, fill } = groupOf(['a', 'b'], { maxTaskIdleMs: 10 });
      fill('a', [1, 2]);
      expect(group.isReady(100)).toBe(false);
      expect(group.idleDeadlineMs(100)).toBe(110);
      expect(group.isReady(109)).toBe(false);
      expect(group.isReady(110)).toBe(true);
      fill('b', [1]);
      expect(group.isReady(111)).toBe(true);
      expect(group.idleDeadlineMs(111)).toBe(Infinity);
    });

    it('wakes nobody when there is nothing to wait with, or the wait is over: an idle worker sleeps', () => {
      for (const maxTaskIdleMs of [0, 10]) {
        const { group, fill } = groupOf(['a', 'b', 'c'], {
          maxTaskIdleMs,
          progress: { position: () => 5, bounds: (topic) => ({ highWatermark: topic === 'c' ? 9 : 5, lastStableOffset: 5 }) },
          readCommitted: false,
        });
        expect(group.isReady(100)).toBe(false);
        expect(group.idleDeadlineMs(100)).toBe(Infinity);
        fill('a', [1]);
        expect(group.isReady(200)).toBe(false);
        expect(group.idleDeadlineMs(200)).toBe(Infinity);
      }
    });

    it('does not wait longer because the wall clock was put back', () => {
      const { group, fill } = groupOf(['a', 'b'], { maxTaskIdleMs: 10 });
      fill('a', [1]);
      expect(group.isReady(7_200_000)).toBe(false);
      expect([group.isReady(100), group.isReady(109), group.isReady(110)]).toEqual([false, false, true]);
    });

    it('never waits with −1', () => {
      const { group, fill } = groupOf(['a', 'b'], { progress: behind, maxTaskIdleMs: -1 });
      expect(group.isReady(0)).toBe(false);
      fill('a', [1]);
      expect(group.isReady(0)).toBe(true);
    });
  });
});
