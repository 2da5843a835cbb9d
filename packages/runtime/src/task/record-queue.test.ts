import { json, logAndSkipOnInvalidTimestamp, string, usePartitionTimeOnInvalidTimestamp, type Serde } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { fetchedPartition } from '../task-harness/fetched-partition.ts';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { RecordQueue, type RecordQueueOptions, type RecordSource } from './record-queue.ts';

const text = string() as Serde<unknown>;

interface Skipped {
  readonly offset: number;
  readonly why: string;
}

function queueOf(
  source: Partial<RecordSource> = {},
  skipped: Skipped[] = [],
  options: Partial<RecordQueueOptions> = {},
): RecordQueue {
  return new RecordQueue({
    topic: 'input',
    partition: 0,
    source: {
      name: 'source',
      keySerde: text,
      valueSerde: text,
      timestampExtractor: undefined,
      process: () => undefined,
      ...source,
    },
    defaultKeySerde: text,
    defaultValueSerde: text,
    listener: {
      onUnreadable: (queue, part) => void skipped.push({ offset: queue.offset, why: part }),
      onNegativeTimestamp: (queue) => void skipped.push({ offset: queue.offset, why: 'timestamp' }),
    },
    ...options,
  });
}

/** Takes everything, and says what came. */
function drain(queue: RecordQueue): [offset: number, key: unknown, value: unknown, timestamp: number][] {
  const taken: [number, unknown, unknown, number][] = [];
  while (queue.hasHead) {
    queue.take();
    taken.push([queue.offset, queue.key, queue.value, queue.timestamp]);
    queue.advance();
  }
  return taken;
}

describe('RecordQueue', () => {
  it('hands out keys, values and timestamps in offset order, over several fetches', () => {
    const queue = queueOf();
    queue.enqueue(
      fetchedPartition(
        [
          { key: 'a', value: '1', timestamp: 9 },
          { value: '2', timestamp: 5 },
        ],
        { baseOffset: 10 },
      ),
    );
    queue.enqueue(fetchedPartition([{ key: 'c', timestamp: 7 }], { baseOffset: 12 }));
    expect(drain(queue)).toEqual([
      [10, 'a', '1', 9],
      [11, undefined, '2', 5],
      [12, 'c', undefined, 7],
    ]);
    expect(queue.partitionTime).toBe(9);
  });

  it('passes over the records below the offset that was fetched', () => {
    const queue = queueOf();
    queue.enqueue(fetchedPartition([{ value: '0' }, { value: '1' }, { value: '2' }], { fetchOffset: 2 }));
    expect(drain(queue).map(([offset]) => offset)).toEqual([2]);
  });

  it('reads batches that the broker had compressed from where the fetcher put their records', () => {
    const queue = queueOf();
    queue.enqueue(
      fetchedPartition(
        [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
        { baseOffset: 40, compression: 'gzip' },
      ),
    );
    expect(drain(queue)).toEqual([
      [40, 'a', '1', 0],
      [41, 'b', '2', 0],
    ]);
  });

  it('is to be committed at its head, and behind markers once it is drained', () => {
    const queue = queueOf();
    expect(queue.nextOffset).toBeUndefined();
    queue.enqueue(fetchedPartition([{ value: '0' }, { value: '1' }], { nextOffset: 3 }));
    expect(queue.nextOffset).toBe(0);
    queue.advance();
    expect(queue.nextOffset).toBe(1);
    queue.advance();
    expect(queue.nextOffset).toBe(3);
    queue.enqueue(fetchedPartition([], { baseOffset: 3, nextOffset: 8 }));
    expect(queue.nextOffset).toBe(8);
  });

  it('skips what it cannot read, and its offset too when that is the last record', () => {
    const skipped: Skipped[] = [];
    const queue = queueOf({ valueSerde: json() as Serde<unknown> }, skipped);
    queue.enqueue(fetchedPartition([{ value: 'bad' }, { value: '{"n":1}' }, { value: 'bad' }]));
    expect(drain(queue)).toEqual([[1, undefined, { n: 1 }, 0]]);
    expect(skipped).toEqual([
      { offset: 0, why: 'value' },
      { offset: 2, why: 'value' },
    ]);
    expect(queue.nextOffset).toBe(3);
  });

  it('stops at a record without timestamp unless the extractor knows better', () => {
    const records = [{ timestamp: 5 }, { timestamp: -1 }, { timestamp: 7 }];
    const failing = queueOf();
    failing.enqueue(fetchedPartition(records));
    expect(() => failing.advance()).toThrow(/no valid timestamp/);

    const skipped: Skipped[] = [];
    const skipping = queueOf({ timestampExtractor: logAndSkipOnInvalidTimestamp }, skipped);
    skipping.enqueue(fetchedPartition(records));
    expect(drain(skipping).map(([, , , timestamp]) => timestamp)).toEqual([5, 7]);
    expect(skipped).toEqual([{ offset: 1, why: 'timestamp' }]);

    const partitionTime = queueOf({ timestampExtractor: usePartitionTimeOnInvalidTimestamp });
    partitionTime.enqueue(fetchedPartition(records));
    expect(drain(partitionTime).map(([, , , timestamp]) => timestamp)).toEqual([5, 5, 7]);
  });

  it('shows the extractor the partition time of the records taken, not of those fetched', () => {
    const seen: number[] = [];
    const queue = queueOf({
      timestampExtractor(record, partitionTime) {
        seen.push(partitionTime);
        return record.timestamp;
      },
    });
    queue.enqueue(fetchedPartition([{ timestamp: 3 }, { timestamp: 9 }, { timestamp: 4 }]));
    drain(queue);
    expect(seen).toEqual([-1, 3, 9]);
  });

  it('names topic and offset when the extractor answers with something that is no time', () => {
    const queue = queueOf({ timestampExtractor: () => Number.NaN });
    expect(() => queue.enqueue(fetchedPartition([{ value: 'v' }], { baseOffset: 4 }))).toThrow(/NaN.*input-0, offset 4/);
  });

  it('counts the bytes of batches until they are used up', () => {
    const queue = queueOf();
    queue.enqueue(fetchedPartition([{ value: 'x'.repeat(100) }]));
    queue.enqueue(fetchedPartition([{ value: 'y'.repeat(100) }], { baseOffset: 1 }));
    const two = queue.bufferedBytes;
    expect(two).toBeGreaterThan(200);
    queue.advance();
    expect(queue.bufferedBytes).toBe(two / 2);
    queue.advance();
    expect(queue.bufferedBytes).toBe(0);
  });

  it('goes back to the last commit in offset and partition time', () => {
    const queue = queueOf();
    queue.enqueue(fetchedPartition([{ timestamp: 3 }, { timestamp: 9 }]));
    queue.take();
    queue.advance();
    queue.prepareCommit();
    queue.take();
    queue.advance();
    queue.confirmCommit();
    queue.rollback();
    expect([queue.hasHead, queue.nextOffset, queue.partitionTime, queue.bufferedBytes]).toEqual([false, 1, 3, 0]);
    queue.enqueue(fetchedPartition([{ timestamp: 3 }, { timestamp: 9 }], { fetchOffset: 1 }));
    expect(drain(queue).map(([offset]) => offset)).toEqual([1]);
  });

  it('refuses records behind those that it has', () => {
    const queue = queueOf();
    queue.enqueue(fetchedPartition([{ value: '5' }], { baseOffset: 5 }));
    expect(() => queue.enqueue(fetchedPartition([{ value: '3' }], { baseOffset: 3 }))).toThrow(/behind 6/);
  });

  it('lets nothing in that is further ahead of the wall clock than it may be, also when an extractor says so', async () => {
    const clock = new ManualClock();
    await clock.advance(1000);
    const skipped: Skipped[] = [];
    const limit = {
      maxAheadMs: 100,
      clock,
      onExceeded: ({ offset }: RecordQueue, aheadMs: number) => void skipped.push({ offset, why: `${aheadMs} ms ahead` }),
    };
    const queue = queueOf({}, skipped, { timestampLimit: limit });
    queue.enqueue(fetchedPartition([{ timestamp: 1100 }, { timestamp: 1101 }, { timestamp: 5 }, { timestamp: 9e12 }]));
    expect(drain(queue).map(([offset]) => offset)).toEqual([0, 2]);
    expect(queue.nextOffset).toBe(4);
    expect(queue.partitionTime).toBe(1100);
    const later = queueOf({ timestampExtractor: ({ timestamp }) => timestamp + 1000 }, skipped, { timestampLimit: limit });
    later.enqueue(fetchedPartition([{ timestamp: 100 }, { timestamp: 101 }]));
    expect(drain(later).map(([offset]) => offset)).toEqual([0]);
    expect(skipped.map(({ offset, why }) => `${offset}: ${why}`)).toEqual([
      '1: 101 ms ahead',
      '3: 8999999999000 ms ahead',
      '1: 101 ms ahead',
    ]);
  });

  it('looks at the clock again before it refuses a record, and when the clock was put back', async () => {
    let nowMs = 1000;
    const skipped: Skipped[] = [];
    const onExceeded = ({ offset }: RecordQueue): void => void skipped.push({ offset, why: 'ahead' });
    const queue = queueOf({}, skipped, { timestampLimit: { maxAheadMs: 100, clock: { nowMs: () => nowMs }, onExceeded } });
    queue.enqueue(fetchedPartition([{ timestamp: 1000 }, { timestamp: 1200 }]));
    nowMs = 1100;
    expect(drain(queue)).toHaveLength(2);
    nowMs = 500;
    queue.enqueue(fetchedPartition([{ timestamp: 1200 }], { baseOffset: 2 }));
    expect(skipped).toEqual([{ offset: 2, why: 'ahead' }]);
  });
});
