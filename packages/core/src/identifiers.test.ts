import { describe, expect, it } from 'vitest';
import { string } from './serde/string.ts';
import { compareTaskIds, formatTaskId, parseTaskId } from './task-id.ts';
import {
  failOnInvalidTimestamp,
  logAndSkipOnInvalidTimestamp,
  usePartitionTimeOnInvalidTimestamp,
} from './timestamp-extractor.ts';
import { topic } from './topic.ts';
import { NO_HEADERS } from './headers.ts';

describe('task ids', () => {
  it('are printed and read as Kafka Streams does', () => {
    expect(parseTaskId(formatTaskId({ subtopology: 2, partition: 11 }))).toEqual({ subtopology: 2, partition: 11 });
    expect(() => parseTaskId('../etc')).toThrow('is not a task id');
  });

  it('sort by number, not by text', () => {
    const ids = ['1_0', '0_10', '0_2'].map(parseTaskId).sort(compareTaskIds).map(formatTaskId);
    expect(ids).toEqual(['0_2', '0_10', '1_0']);
  });
});

describe('topic', () => {
  it.each(['', '.', '..', 'a/b', 'a b', 'x'.repeat(250)])('refuses the name %j', (name) => {
    expect(() => topic(name, { key: string(), value: string() })).toThrow('is not a topic name');
  });
});

describe('timestamp extractors', () => {
  const record = { topic: 't', partition: 0, offset: 3, timestamp: -1, key: 'k', value: 'v', headers: NO_HEADERS };

  it('differ in what they do with a record without a timestamp', () => {
    expect(() => failOnInvalidTimestamp(record, 5)).toThrow('t-0, offset 3');
    expect(logAndSkipOnInvalidTimestamp(record, 5)).toBe(-1);
    expect(usePartitionTimeOnInvalidTimestamp(record, 5)).toBe(5);
    expect(() => usePartitionTimeOnInvalidTimestamp(record, -1)).toThrow('no valid timestamp');
  });
});
