import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFixture } from '../fixtures/read-fixture.ts';
import { crc32c, crc32cInJavaScript } from './crc32c.ts';

const golden = readFixture<{ hex: string; crc32c: number }>('checksums');

describe('crc32c', () => {
  it('agrees with Java for every length around the word and table sizes', () => {
    for (const { hex, crc32c: expected } of golden) {
      const bytes = Buffer.from(hex, 'hex');
      expect(crc32c(bytes)).toBe(expected);
      expect(crc32cInJavaScript(bytes, 0, bytes.length)).toBe(expected);
    }
  });

  it('is the same in native code and in JavaScript, for any range', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), fc.nat(), fc.nat(), (array, a, b) => {
        const bytes = Buffer.from(array);
        const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y) as [number, number];
        expect(crc32c(bytes, start, end)).toBe(crc32cInJavaScript(bytes, start, end));
      }),
    );
  });
});
