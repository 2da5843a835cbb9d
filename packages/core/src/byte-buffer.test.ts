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
