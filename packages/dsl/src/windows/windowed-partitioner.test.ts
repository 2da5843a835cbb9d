import { string } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { windowedPartitioner } from './windowed-partitioner.ts';

describe('partitioner of windowed keys', () => {
  const partition = windowedPartitioner(string());

  it('chooses by the key alone, like the default partitioner of Kafka', () => {
    const windows = [0, 10, 20].map((start) =>
      partition('t', { key: '21', window: { start, end: start + 10 } }, undefined, 1000),
    );
    // murmur2('21') is -973932308 in Kafka's own tests.
    expect(windows).toEqual(Array(3).fill((-973932308 & 0x7fffffff) % 1000));
  });

  it('leaves records without key to the producer', () => {
    expect(partition('t', undefined as never, undefined, 3)).toBeUndefined();
  });
});
