import { ByteBuffer, json, string, type Serde } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionWindowedSerde, timeWindowedSerde } from './windowed-serde.ts';

const key = { key: 'ab', window: { start: 0x0102030405, end: 0x0102030405 + 10 } };

function written<T>(serde: Serde<T>, value: T): Buffer {
  const target = new ByteBuffer(1);
  serde.write?.(value, target, 'topic');
  return Buffer.from(target.view());
}

describe('windowed keys on topics', () => {
  it('time windows: the key, then the start; the reader adds the size', () => {
    const serde = timeWindowedSerde(string(), 10);
    expect(Buffer.from(serde.serialize(key, 'topic')).toString('hex')).toBe('61620000000102030405');
    expect(serde.deserialize(serde.serialize(key, 'topic'), 'topic')).toEqual(key);
  });

  it('session windows: the key, then the end, then the start', () => {
    const serde = sessionWindowedSerde(string());
    expect(Buffer.from(serde.serialize(key, 'topic')).toString('hex')).toBe('6162000000010203040f0000000102030405');
    expect(serde.deserialize(serde.serialize(key, 'topic'), 'topic')).toEqual(key);
  });

  it.each([
    ['time', timeWindowedSerde(json<string>(), 10)],
    ['session', sessionWindowedSerde(json<string>())],
  ])('%s windows: both forms of conversion agree', (kind, serde) => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), (inner, start, length) => {
        const windowed = { key: inner, window: { start, end: kind === 'time' ? start + 10 : start + length } };
        const bytes = written(serde, windowed);
        expect(bytes).toEqual(Buffer.from(serde.serialize(windowed, 'topic')));
        expect(serde.read?.(Buffer.concat([Buffer.from('xx'), bytes]), 2, bytes.length + 2, 'topic')).toEqual(windowed);
        expect(serde.deserialize(bytes, 'topic')).toEqual(windowed);
      }),
    );
  });

  it('refuses bytes that are too short for a window', () => {
    expect(() => timeWindowedSerde(string(), 10).deserialize(Buffer.alloc(7), 'topic')).toThrow(
      expect.objectContaining({ code: 'INVALID_WINDOWED_KEY' }),
    );
  });
});
