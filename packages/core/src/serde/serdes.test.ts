import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBuffer } from '../byte-buffer.ts';
import { bytes } from './bytes.ts';
import { json } from './json.ts';
import { bigint64, double, int32, int64 } from './numbers.ts';
import { readWith, writeWith, type Serde } from './serde.ts';
import type { StandardSchema } from './standard-schema.ts';
import { string } from './string.ts';

/** Both forms of a conversion must give the same bytes and the same value. */
function agrees<T>(serde: Serde<T>, value: T): T {
  const plain = Buffer.from(serde.serialize(value, 't'));
  const target = new ByteBuffer(1);
  target.writeUint8(7);
  writeWith(serde, value, target, 't');
  expect(target.view(1).equals(plain)).toBe(true);
  const framed = Buffer.concat([Buffer.from([9]), plain, Buffer.from([9])]);
  expect(readWith(serde, framed, 1, 1 + plain.length, 't')).toEqual(serde.deserialize(plain, 't'));
  return serde.deserialize(plain, 't');
}

describe('built-in serdes', () => {
  it('give back what they were given, in both forms', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(agrees(string(), value)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(agrees(int32(), value)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(agrees(int64(), value)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        expect(agrees(bigint64(), value)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        expect(agrees(double(), value)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        expect(Buffer.from(agrees(bytes(), value))).toEqual(Buffer.from(value));
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(agrees(json(), value)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['int32', int32(), 258, '00000102'],
    ['int64', int64(), -2, 'fffffffffffffffe'],
    ['int64 beyond 32 bits', int64(), 2 ** 40 + 5, '0000010000000005'],
    ['string', string(), 'aé', '61c3a9'],
  ] as const)('write the bytes that Java writes: %s', (_name, serde, value, hex) => {
    expect(Buffer.from((serde as Serde<unknown>).serialize(value, 't')).toString('hex')).toBe(hex);
  });

  it('refuse values of another type by name', () => {
    expect(() => string().serialize(5 as never, 't')).toThrow('expected a string, got number');
    expect(() => int32().serialize(2 ** 31, 't')).toThrow('not an integer from -2147483648 to 2147483647');
    expect(() => int64().serialize(0.5, 't')).toThrow('int64 serde: 0.5');
    expect(() => json().serialize(undefined, 't')).toThrow('a undefined has no JSON form');
  });

  it('refuse bytes of the wrong length or range', () => {
    expect(() => int64().deserialize(Buffer.alloc(7), 't')).toThrow('expected 8 bytes, got 7');
    expect(() => int64().deserialize(bigint64().serialize(2n ** 60n, 't'), 't')).toThrow('use bigint64()');
    expect(() => json().deserialize(Buffer.from('{'), 't')).toThrow(SyntaxError);
  });

  it('copies bytes out of the network buffer', () => {
    const source = Buffer.from('abcdef');
    const value = readWith(bytes(), source, 1, 3, 't');
    source.fill(0);
    expect(Buffer.from(value).toString()).toBe('bc');
  });
});

describe('json with a Standard Schema', () => {
  const positive: StandardSchema<number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'number' && value > 0
          ? { value: value * 2 }
          : { issues: [{ message: 'must be positive', path: ['a', { key: 0 }] }] },
    },
  };

  it('takes the value that the schema gives', () => {
    expect(json(positive).deserialize(Buffer.from('4'), 't')).toBe(8);
  });

  it('names every issue with its path', () => {
    expect(() => json(positive).deserialize(Buffer.from('-1'), 't')).toThrow('does not fit its schema: a.0: must be positive');
  });

  it('refuses asynchronous schemas', () => {
    const slow = { '~standard': { ...positive['~standard'], validate: () => Promise.resolve({ value: 1 }) } };
    expect(() => json(slow).deserialize(Buffer.from('4'), 't')).toThrow('validates asynchronously');
  });

  it('does not let JSON reach a prototype', () => {
    const value = json<{ polluted?: boolean }>().deserialize(Buffer.from('{"__proto__":{"polluted":true}}'), 't');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});
