import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeOffsetMetadata, encodeOffsetMetadata } from './offset-metadata.ts';

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
});
