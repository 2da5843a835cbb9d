import { string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeSerde } from './change-serde.ts';

const serde = changeSerde(string());

function write(newValue: string | undefined, oldValue: string | undefined): string {
  return Buffer.from(serde.serialize(newValue, oldValue, 't')).toString('hex');
}

function read(hex: string): { newValue: unknown; oldValue: unknown } {
  const target = { newValue: undefined, oldValue: undefined };
  serde.deserialize(Buffer.from(hex, 'hex'), 't', target);
  return target;
}

/** Written by Kafka Streams 4.3.1, `ChangedSerializer`. */
const golden: readonly [newValue: string | undefined, oldValue: string | undefined, hex: string][] = [
  [undefined, 'old', '6f6c6400'],
  ['new', undefined, '6e657701'],
  ['new', 'older', '066e65776f6c64657202'],
  ['', 'o', '006f02'],
  ['n'.repeat(70), 'o', `8c01${'6e'.repeat(70)}6f02`],
  ['n'.repeat(9000), 'o', `d08c01${'6e'.repeat(9000)}6f02`],
];

describe('change serde', () => {
  it('writes and reads the bytes of Kafka Streams', () => {
    for (const [newValue, oldValue, hex] of golden) {
      expect(write(newValue, oldValue)).toBe(hex);
      expect(read(hex)).toEqual({ newValue, oldValue });
    }
  });

  it('reads the forms that say whether the change is the latest', () => {
    expect(read('6f6c640103')).toEqual({ newValue: undefined, oldValue: 'old' });
    expect(read('6e65770004')).toEqual({ newValue: 'new', oldValue: undefined });
    expect(read('066e65776f6c6465720105')).toEqual({ newValue: 'new', oldValue: 'older' });
  });

  it('gives back any change', () => {
    const value = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(value, value, (newValue, oldValue) => {
        fc.pre(newValue !== undefined || oldValue !== undefined);
        expect(read(write(newValue, oldValue))).toEqual({ newValue, oldValue });
      }),
    );
  });

  it('refuses bytes that are no change, and never reads past them', () => {
    for (const hex of ['', '06', '03', '05', '02', '016e02', '086e6f02', '8080808080808002', 'ffffffffff0f02']) {
      expect(() => read(hex)).toThrow(expect.objectContaining({ code: 'CHANGE_CORRUPT' }));
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        try {
          serde.deserialize(bytes, 't', { newValue: undefined, oldValue: undefined });
        } catch (error) {
          expect(error).toMatchObject({ name: 'CorruptDataError' });
        }
      }),
    );
  });
});
