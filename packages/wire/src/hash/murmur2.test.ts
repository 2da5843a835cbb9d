import { describe, expect, it } from 'vitest';
import { readFixture } from '../fixtures/read-fixture.ts';
import { murmur2, partitionForKey } from './murmur2.ts';

const golden = readFixture<{ hex: string; murmur2: number; partitionOf7: number }>('checksums');

describe('murmur2', () => {
  it('agrees with Kafka for every tail length', () => {
    for (const { hex, murmur2: expected, partitionOf7 } of golden) {
      const bytes = Buffer.from(hex, 'hex');
      expect(murmur2(bytes)).toBe(expected);
      expect(partitionForKey(bytes, 0, bytes.length, 7)).toBe(partitionOf7);
    }
  });

  it('hashes a range as it hashes a copy of it', () => {
    const bytes = Buffer.from('0123456789abcdef');
    for (let start = 0; start < bytes.length; start++) {
      for (let end = start; end <= bytes.length; end++) {
        expect(murmur2(bytes, start, end)).toBe(murmur2(Buffer.from(bytes.subarray(start, end))));
      }
    }
  });
});
