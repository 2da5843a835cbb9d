/**
 * Variable-length integers as Kafka writes them: 7 bits per byte, lowest first; signed ones zigzag-encoded.
 *
 * Each `write…` returns the position after the last byte; the caller has made room (5 bytes, or 10 for a varlong).
 * Longs are JS numbers, split into two 32-bit halves: exact for every safe integer, and no BigInt is made.
 */

const TWO_32 = 0x1_0000_0000;

/** Bytes of an unsigned varint; `value` is taken as an unsigned 32-bit number. */
export function sizeOfUvarint(value: number): number {
  const bits = 32 - Math.clz32(value);
  return bits <= 7 ? 1 : bits <= 14 ? 2 : bits <= 21 ? 3 : bits <= 28 ? 4 : 5;
}

/** Bytes of a zigzag varint of a signed 32-bit number. */
export function sizeOfVarint(value: number): number {
  return sizeOfUvarint((value << 1) ^ (value >> 31));
}

/** Bytes of a zigzag varlong of a safe integer. */
export function sizeOfVarlong(value: number): number {
  if (value === (value | 0)) return sizeOfVarint(value);
  const high = zigzagHigh(value);
  if (high === 0) return 5;
  // 35 bits fit in five bytes; three of them belong to the high half.
  return 5 + Math.max(0, Math.ceil((32 - Math.clz32(high) - 3) / 7));
}

export function writeUvarint(buffer: Buffer, position: number, value: number): number {
  let rest = value >>> 0;
  while (rest > 0x7f) {
    buffer[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[position] = rest;
  return position + 1;
}

export function writeVarint(buffer: Buffer, position: number, value: number): number {
  return writeUvarint(buffer, position, (value << 1) ^ (value >> 31));
}

export function writeVarlong(buffer: Buffer, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(buffer, position, value);
  let low = zigzagLow(value);
  let high = zigzagHigh(value);
  while (high !== 0 || low > 0x7f) {
    buffer[position++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  buffer[position] = low;
  return position + 1;
}

function zigzagLow(value: number): number {
  const low = value >>> 0;
  return ((low << 1) ^ (value < 0 ? -1 : 0)) >>> 0;
}

function zigzagHigh(value: number): number {
  const low = value >>> 0;
  const high = Math.floor(value / TWO_32) | 0;
  return (((high << 1) | (low >>> 31)) ^ (value < 0 ? -1 : 0)) >>> 0;
}

/** Undoes zigzag for a 64-bit number given as two unsigned halves. */
export function unzigzag64(low: number, high: number): number {
  const sign = -(low & 1);
  const plainLow = ((low >>> 1) | (high << 31)) ^ sign;
  const plainHigh = (high >>> 1) ^ sign;
  return plainHigh * TWO_32 + (plainLow >>> 0);
}
