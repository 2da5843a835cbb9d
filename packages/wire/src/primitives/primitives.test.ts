import { CorruptDataError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolReader } from './protocol-reader.ts';
import { ProtocolWriter } from './protocol-writer.ts';
import { sizeOfUvarint, sizeOfVarint, sizeOfVarlong, writeUvarint, writeVarint, writeVarlong } from './varint.ts';

const safeInteger = fc.oneof(
  fc.integer(),
  fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
  fc.integer({ min: 0, max: 52 }).chain((bits) => fc.constantFrom(2 ** bits, 2 ** bits - 1, -(2 ** bits), -(2 ** bits) - 1)),
);

/** The definition of zigzag and of base-128, with the big integers that the code avoids. */
function zigzagWithBigInt(value: number): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

describe('variable-length integers', () => {
  it('are written as their definition says, in as many bytes as announced, and read back', () => {
    fc.assert(
      fc.property(safeInteger, (value) => {
        const buffer = Buffer.alloc(10);
        const length = writeVarlong(buffer, 0, value);
        expect(length).toBe(sizeOfVarlong(value));
        expect(buffer.subarray(0, length)).toEqual(zigzagWithBigInt(value));
        expect(new ProtocolReader(buffer).varlong()).toBe(value);
        if (value !== (value | 0)) return;
        expect(writeVarint(buffer, 0, value)).toBe(sizeOfVarint(value));
        expect(new ProtocolReader(buffer).varint()).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('are read back when unsigned', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
        const buffer = Buffer.alloc(5);
        expect(writeUvarint(buffer, 0, value)).toBe(sizeOfUvarint(value));
        expect(new ProtocolReader(buffer).uvarint()).toBe(value);
      }),
    );
  });

  it('are refused when they never end or are too long', () => {
    for (const hex of ['', '80', 'ffffffff', 'ffffffffff', 'ffffffff10', 'ffffffff8001']) {
      expect(() => new ProtocolReader(Buffer.from(hex, 'hex')).uvarint()).toThrow(CorruptDataError);
    }
    for (const hex of ['', '80', 'ff'.repeat(9), 'ff'.repeat(10), `${'ff'.repeat(9)}02`]) {
      expect(() => new ProtocolReader(Buffer.from(hex, 'hex')).varlong()).toThrow(CorruptDataError);
    }
  });

  it('reach the ends of 64 bits approximately, as JS numbers do', () => {
    expect(new ProtocolReader(Buffer.from(`${'ff'.repeat(9)}01`, 'hex')).varlong()).toBe(-(2 ** 63));
    expect(new ProtocolReader(Buffer.from(`fe${'ff'.repeat(8)}01`, 'hex')).varlong()).toBe(2 ** 63);
  });
});

describe('ProtocolWriter and ProtocolReader', () => {
  it('give back what was written', () => {
    const writer = new ProtocolWriter(1);
    writer.int8(-5);
    writer.boolean(true);
    writer.int16(-30_000);
    writer.int32(-2_000_000_000);
    writer.int64(-(2 ** 52) - 1);
    writer.uuid('01234567-89ab-cdef-0123-456789abcdef');
    writer.string('grüße 🎈', true);
    writer.bytes(Buffer.from([1, 2]), false);
    const reader = new ProtocolReader(writer.view());
    expect([reader.int8(), reader.boolean(), reader.int16(), reader.int32(), reader.int64()]).toEqual([
      -5,
      true,
      -30_000,
      -2_000_000_000,
      -(2 ** 52) - 1,
    ]);
    expect(reader.uuid()).toBe('01234567-89ab-cdef-0123-456789abcdef');
    expect(reader.utf8(reader.stringLength(true))).toBe('grüße 🎈');
    expect([...reader.bytes(reader.bytesLength(false))]).toEqual([1, 2]);
    expect(reader.remaining).toBe(0);
  });

  it('refuse to read past the end', () => {
    const reads: ((reader: ProtocolReader) => unknown)[] = [
      (r) => r.int8(),
      (r) => r.int16(),
      (r) => r.int32(),
      (r) => r.int64(),
      (r) => r.uuid(),
      (r) => r.bytes(1),
      (r) => r.utf8(1),
    ];
    for (const read of reads) expect(() => read(new ProtocolReader(Buffer.alloc(20), 0, 0))).toThrow(CorruptDataError);
  });

  it('refuse negative and oversized lengths before anything is allocated', () => {
    for (const hex of ['fffffffe', '7fffffff', '00000001']) {
      expect(() => new ProtocolReader(Buffer.from(hex, 'hex')).arrayLength(false)).toThrow(CorruptDataError);
    }
    expect(() => new ProtocolReader(Buffer.from('00000002ffffff', 'hex')).arrayLength(false, 2)).toThrow(CorruptDataError);
    expect(new ProtocolReader(Buffer.from('ffffffff', 'hex')).arrayLength(false)).toBe(-1);
    expect(new ProtocolReader(Buffer.from('00', 'hex')).arrayLength(true)).toBe(-1);
  });

  it('refuse numbers that an int64 field would not carry exactly', () => {
    for (const value of [2 ** 53, Number.NaN, 0.5]) expect(() => new ProtocolWriter().int64(value)).toThrow(/safe integer/);
  });

  it('put sizes in front of what was written', () => {
    const writer = new ProtocolWriter();
    const size = writer.reserve(4);
    writer.raw(Buffer.alloc(300, 7));
    writer.patchInt32(size, writer.position - 4);
    writer.insertUvarintSize(4);
    const reader = new ProtocolReader(writer.take());
    expect([reader.int32(), reader.uvarint(), reader.int8(), reader.remaining]).toEqual([300, 300, 7, 299]);
    expect(writer.position).toBe(0);
  });
});
