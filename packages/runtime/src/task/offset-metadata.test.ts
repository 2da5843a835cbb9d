import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEmittedTimes, decodeOffsetMetadata, encodeOffsetMetadata } from './offset-metadata.ts';

describe('offset metadata', () => {
  it('is Base64 of the version and the partition time, as Kafka Streams writes it', () => {
    expect(encodeOffsetMetadata(1_700_000_000_000)).toBe(Buffer.from('020000018bcfe56800', 'hex').toString('base64'));
  });

  it('gives back the partition time that was written', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (time) => decodeOffsetMetadata(encodeOffsetMetadata(time)) === time));
  });

  it('treats an unknown partition time as unknown', () => {
    expect(decodeOffsetMetadata(encodeOffsetMetadata(-1))).toBe(-1);
  });

  it('takes anything else for no metadata, whatever it is', () => {
    expect(decodeOffsetMetadata('')).toBe(-1);
    expect(decodeOffsetMetadata(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 1]).toString('base64'))).toBe(-1);
    fc.assert(fc.property(fc.string(), (text) => decodeOffsetMetadata(text) >= -1));
  });

  it('reads version 1 and versions with processor metadata behind the time', () => {
    expect(decodeOffsetMetadata(Buffer.from('01000000000000000a', 'hex').toString('base64'))).toBe(10);
    expect(decodeOffsetMetadata(Buffer.from('02000000000000000a00000000', 'hex').toString('base64'))).toBe(10);
  });

  it('carries the times up to which stores have emitted, as Kafka Streams writes processor metadata', () => {
    const hex = '02000000000000000a' + '00000001' + '00000002' + '7731' + '0000000000000007';
    expect(encodeOffsetMetadata(10, new Map([['w1', 7]]))).toBe(Buffer.from(hex, 'hex').toString('base64'));
    const emitted = fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.maxSafeNat())).map((all) => new Map(all));
    fc.assert(
      fc.property(fc.maxSafeNat(), emitted, (time, times) => {
        const metadata = encodeOffsetMetadata(time, times);
        expect(decodeOffsetMetadata(metadata)).toBe(time);
        expect(decodeEmittedTimes(metadata)).toEqual(times);
      }),
    );
  });

  it('takes nothing from emitted times that are cut off or nonsense', () => {
    expect(decodeEmittedTimes('')).toEqual(new Map());
    const whole = Buffer.from(encodeOffsetMetadata(10, new Map([['w1', 7]])), 'base64');
    for (let end = 0; end < whole.length; end++) {
      expect(decodeEmittedTimes(whole.subarray(0, end).toString('base64'))).toEqual(new Map());
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (tail) => {
        const bytes = Buffer.concat([whole.subarray(0, 9), tail]);
        expect(decodeEmittedTimes(bytes.toString('base64'))).toBeInstanceOf(Map);
      }),
    );
  });
});
