import { readInt64, type ByteBuffer } from '../byte-buffer.ts';
import type { Serde } from './serde.ts';

function expectLength(name: string, actual: number, expected: number): void {
  if (actual !== expected) throw new RangeError(`${name} serde: expected ${expected} bytes, got ${actual}`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function expectInteger(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} serde: ${String(value)} is not an integer from ${min} to ${max}`);
  }
  return value;
}

const INT32: Serde<number> = {
  name: 'int32',
  immutable: true,
  primitive: true,
  serialize(value) {
    const out = Buffer.allocUnsafe(4);
    out.writeInt32BE(expectInteger('int32', value, -0x8000_0000, 0x7fff_ffff));
    return out;
  },
  deserialize(bytes) {
    expectLength('int32', bytes.length, 4);
    return asBuffer(bytes).readInt32BE(0);
  },
  write: (value, target: ByteBuffer) => target.writeInt32(expectInteger('int32', value, -0x8000_0000, 0x7fff_ffff)),
  read(source, start, end) {
    expectLength('int32', end - start, 4);
    return source.readInt32BE(start);
  },
};

const INT64: Serde<number> = {
  name: 'int64',
  immutable: true,
  primitive: true,
  serialize(value) {
    const out = Buffer.allocUnsafe(8);
    out.writeBigInt64BE(BigInt(expectInteger('int64', value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)));
    return out;
  },
  deserialize(bytes) {
    expectLength('int64', bytes.length, 8);
    return safeInt64(asBuffer(bytes), 0);
  },
  write: (value, target: ByteBuffer) =>
    target.writeInt64(expectInteger('int64', value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  read(source, start, end) {
    expectLength('int64', end - start, 8);
    return safeInt64(source, start);
  },
};

function safeInt64(source: Buffer, offset: number): number {
  const value = readInt64(source, offset);
  if (!Number.isSafeInteger(value)) throw new RangeError('int64 serde: the number is beyond ±2^53; use bigint64()');
  return value;
}

const BIGINT64: Serde<bigint> = {
  name: 'bigint64',
  immutable: true,
  primitive: true,
  serialize(value) {
    const out = Buffer.allocUnsafe(8);
    out.writeBigInt64BE(value);
    return out;
  },
  deserialize(bytes) {
    expectLength('bigint64', bytes.length, 8);
    return asBuffer(bytes).readBigInt64BE(0);
  },
};

const DOUBLE: Serde<number> = {
  name: 'double',
  immutable: true,
  serialize(value) {
    const out = Buffer.allocUnsafe(8);
    out.writeDoubleBE(value);
    return out;
  },
  deserialize(bytes) {
    expectLength('double', bytes.length, 8);
    return asBuffer(bytes).readDoubleBE(0);
  },
};

/** A 32-bit integer, big-endian, as Java's `Serdes.Integer()`. */
export function int32(): Serde<number> {
  return INT32;
}

/** A 64-bit integer within ±2^53, big-endian, as Java's `Serdes.Long()`. The type of `count()`. */
export function int64(): Serde<number> {
  return INT64;
}

/** A 64-bit integer of the whole range, as Java's `Serdes.Long()`. */
export function bigint64(): Serde<bigint> {
  return BIGINT64;
}

/** A 64-bit floating point number, as Java's `Serdes.Double()`. */
export function double(): Serde<number> {
  return DOUBLE;
}
