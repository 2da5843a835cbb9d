import { utf8Write, type Header, type Headers } from '@millrace/core';

/** Attributes, timestamp delta and offset delta: a zero byte each, since each record is a batch of its own. */
const FIXED_BYTES = 3;
/** Up to here a byte loop is faster than the call into native code. */
const LOOP_COPY_BYTES_MAX = 48;

/**
 * Bytes of a record in the format of Kafka's record batches, without its leading length.
 *
 * @param keyLength −1 for a null key; likewise `valueLength`
 */
export function recordBodySize(keyLength: number, valueLength: number, headers: Headers): number {
  return FIXED_BYTES + sizeOfField(keyLength) + sizeOfField(valueLength) + (headers.length === 0 ? 1 : sizeOfHeaders(headers));
}

/** Bytes of a record, its length included. */
export function recordSize(bodySize: number): number {
  return sizeOfVarint(bodySize) + bodySize;
}

/** Writes a record as the only one of a batch with its offset and timestamp; the caller has made room. */
export function writeRecord(
  target: Buffer,
  position: number,
  bodySize: number,
  key: Buffer,
  keyStart: number,
  keyLength: number,
  value: Buffer,
  valueStart: number,
  valueLength: number,
  headers: Headers,
): void {
  let at = writeVarint(target, position, bodySize);
  target[at++] = 0;
  target[at++] = 0;
  target[at++] = 0;
  at = writeField(target, at, key, keyStart, keyLength);
  at = writeField(target, at, value, valueStart, valueLength);
  at = writeVarint(target, at, headers.length);
  for (let i = 0; i < headers.length; i++) at = writeHeader(target, at, headers[i] as Header);
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

/** Zigzag varints of Kafka: lengths only, so at most five bytes. */
function sizeOfVarint(value: number): number {
  const bits = 32 - Math.clz32((value << 1) ^ (value >> 31));
  return Math.max(1, Math.ceil(bits / 7));
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
