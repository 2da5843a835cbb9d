import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEmittedTimes, decodeOffsetMetadata, decodeTopicId, encodeOffsetMetadata } from './offset-metadata.ts';

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

  it('carries the topic id behind what Kafka Streams writes, so that the other parts are read as ever', () => {
    const hex = '02000000000000000a' + '00000000' + '01' + '0123456789abcdef0123456789abcdef';
    const id = '01234567-89ab-cdef-0123-456789abcdef';
    expect(encodeOffsetMetadata(10, new Map(), id)).toBe(Buffer.from(hex, 'hex').toString('base64'));
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.uuid(), fc.boolean(), (time, topicId, hasTimes) => {
        const times = new Map(hasTimes ? [['w1', 7]] : []);
        const metadata = encodeOffsetMetadata(time, times, topicId);
        expect([decodeOffsetMetadata(metadata), decodeEmittedTimes(metadata)]).toEqual([time, times]);
        expect(decodeTopicId(metadata)).toBe(topicId);
      }),
    );
  });

  it('knows no topic id where nobody wrote one, or another version wrote something else', () => {
    expect(decodeTopicId('')).toBeUndefined();
    expect(decodeTopicId(encodeOffsetMetadata(10))).toBeUndefined();
    expect(decodeTopicId(encodeOffsetMetadata(10, new Map([['w1', 7]])))).toBeUndefined();
    const behind = (tail: readonly number[]): string =>
      Buffer.concat([Buffer.from(encodeOffsetMetadata(10), 'base64'), Buffer.alloc(4), Buffer.from(tail)]).toString('base64');
    expect(decodeTopicId(behind([2, ...new Uint8Array(16)]))).toBeUndefined();
    expect(decodeTopicId(behind([1, 2, 3]))).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => decodeTopicId(text) === undefined || text.length > 36));
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
