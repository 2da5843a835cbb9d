import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBuffer, readInt64 } from './byte-buffer.ts';

describe('ByteBuffer', () => {
  it('grows and keeps what was written', () => {
    const buffer = new ByteBuffer(2);
    buffer.writeUtf8('añb');
    buffer.writeInt32(-2);
    buffer.writeRange(Buffer.from('wxyz'), 1, 3);
    expect(buffer.view().toString('hex')).toBe('61c3b162fffffffe7879');
    buffer.clear();
    expect(buffer.length).toBe(0);
  });

  it('writes text as UTF-8, whatever its length and letters', () => {
    const text = fc.oneof(fc.string({ maxLength: 70 }), fc.string({ unit: 'binary', maxLength: 70 }));
    fc.assert(
      fc.property(text, text, (first, second) => {
        const buffer = new ByteBuffer(4);
        buffer.writeUtf8(first);
        buffer.writeUtf8(second);
        const bytes = Buffer.concat([Buffer.from(first, 'utf8'), Buffer.from(second, 'utf8')]);
        expect(buffer.view()).toEqual(bytes);
        buffer.clear();
        buffer.writeRange(bytes, 0, bytes.length);
        expect(buffer.view()).toEqual(bytes);
      }),
    );
  });

  it('copies ranges of one buffer after the other, whatever their length', () => {
    const source = fc.uint8Array({ maxLength: 300 }).chain((bytes) =>
      fc.tuple(fc.nat({ max: bytes.length }), fc.nat({ max: bytes.length })).map(([a, b]) => ({
        source: Buffer.from(bytes),
        start: Math.min(a, b),
        end: Math.max(a, b),
      })),
    );
    fc.assert(
      fc.property(fc.array(source, { maxLength: 10 }), (ranges) => {
        const buffer = new ByteBuffer(4);
        for (const { source, start, end } of ranges) {
          buffer.writeRange(source, start, end);
          buffer.writeRange(source, start, end);
        }
        const expected = ranges.flatMap(({ source, start, end }) => [source.subarray(start, end), source.subarray(start, end)]);
        expect(buffer.view()).toEqual(Buffer.concat(expected));
      }),
    );
  });

  it('writes 64-bit integers exactly within ±2^53', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const buffer = new ByteBuffer();
        buffer.writeInt64(value);
        expect(buffer.view().readBigInt64BE(0)).toBe(BigInt(value));
        expect(readInt64(buffer.bytes, 0)).toBe(value);
      }),
    );
  });
});
