import { utf8Write, type Header, type Headers } from '@millrace/core';

const ATTRIBUTES_BYTES = 1;
/** Up to here a byte loop is faster than the call into native code. */
const LOOP_COPY_BYTES_MAX = 48;

/**
 * Bytes of a record in the format of Kafka's record batches, without its leading length.
 *
 * @param timestampDelta against the batch's first record, a 32-bit number; likewise `offsetDelta`
 * @param keyLength −1 for a null key; likewise `valueLength`
 */
export function recordBodySize(
  timestampDelta: number,
  offsetDelta: number,
  keyLength: number,
  valueLength: number,
  headers: Headers,
): number {
  const fields = sizeOfVarint(timestampDelta) + sizeOfVarint(offsetDelta) + sizeOfField(keyLength) + sizeOfField(valueLength);
  return ATTRIBUTES_BYTES + fields + (headers.length === 0 ? 1 : sizeOfHeaders(headers));
}

/** Bytes of a record, its length included. */
export function recordSize(bodySize: number): number {
  return sizeOfVarint(bodySize) + bodySize;
}

/**
 * Writes a record; the caller has made room, and {@link recordBodySize} has given its size.
 *
 * @returns the position behind it
 */
export function writeRecord(
  target: Buffer,
  position: number,
  bodySize: number,
  timestampDelta: number,
  offsetDelta: number,
  key: Buffer,
  keyStart: number,
  keyLength: number,
  value: Buffer,
  valueStart: number,
  valueLength: number,
  headers: Headers,
): number {
  let at = writeVarint(target, position, bodySize);
  target[at++] = 0;
  at = writeVarint(target, at, timestampDelta);
  at = writeVarint(target, at, offsetDelta);
  at = writeField(target, at, key, keyStart, keyLength);
  at = writeField(target, at, value, valueStart, valueLength);
  at = writeVarint(target, at, headers.length);
  for (let i = 0; i < headers.length; i++) at = writeHeader(target, at, headers[i] as Header);
  return at;
}

function writeField(target: Buffer, position: number, source: Buffer, start: number, length: number): number {
  const at = writeVarint(target, position, length);
  if (length <= 0) return at;
  if (length > LOOP_COPY_BYTES_MAX) source.copy(target, at, start, start + length);
  else for (let i = 0; i < length; i++) target[at + i] = source[start + i] as number;
  return at + length;
}

function writeHeader(target: Buffer, position: number, { key, value }: Header): number {
  const keyLength = Buffer.byteLength(key);
  let at = writeVarint(target, position, keyLength);
  utf8Write(target, key, at);
  at += keyLength;
  if (value == null) return writeVarint(target, at, -1);
  at = writeVarint(target, at, value.length);
  target.set(value, at);
  return at + value.length;
}

function sizeOfHeaders(headers: Headers): number {
  let size = sizeOfVarint(headers.length);
  for (const { key, value } of headers)
    size += sizeOfField(Buffer.byteLength(key)) + sizeOfField(value == null ? -1 : value.length);
  return size;
}

function sizeOfField(length: number): number {
  return sizeOfVarint(length) + Math.max(0, length);
}

/** Zigzag varints of 32-bit numbers, as Kafka writes them. */
function sizeOfVarint(value: number): number {
  const bits = 32 - Math.clz32((value << 1) ^ (value >> 31));
  return bits <= 7 ? 1 : bits <= 14 ? 2 : bits <= 21 ? 3 : bits <= 28 ? 4 : 5;
}

function writeVarint(target: Buffer, position: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = position;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
