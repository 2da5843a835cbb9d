import { ByteBuffer, utf8Write, type Header, type Headers } from '@millrace/core';

/** Attributes of a record; they have no meaning so far. */
const ATTRIBUTES_BYTES = 1;
/** Numbers have 32 bits. */
const VARINT_BYTES_MAX = 5;

/**
 * Records one behind the other in one buffer, in the format of Kafka's record batches: what a fetch hands out as one batch, or as
 * part of one.
 *
 * A record whose key and value are not bytes yet is begun: they are serialised straight to where they stay. The lengths before
 * them are numbers of variable size, for which as much room is left as those of the record before took: mostly right, and key and
 * value are moved when it was not.
 *
 * What has been written never changes and fetched batches are views of it: when the buffer grows, they keep the one they have.
 */
export class RecordWriter {
  readonly baseOffset: number;
  readonly baseTimestamp: number;
  /** Where the last record ends. */
  endPosition = 0;
  readonly #target: ByteBuffer;
  /** Bytes that the lengths of the last record took. */
  #sizeBytes = 1;
  #keySizeBytes = 1;
  #valueSizeBytes = 1;
  // The record that has been begun.
  #timestampDelta = 0;
  #offsetDelta = 0;
  #keyStart = 0;
  #keyLength = -1;
  #valueStart = 0;

  constructor(baseOffset: number, baseTimestamp: number, capacity: number) {
    this.baseOffset = baseOffset;
    this.baseTimestamp = baseTimestamp;
    this.#target = new ByteBuffer(capacity);
  }

  get buffer(): Buffer {
    return this.#target.bytes;
  }

  get capacity(): number {
    return this.#target.bytes.length;
  }

  /** Bytes that are free. */
  get room(): number {
    return this.capacity - this.endPosition;
  }

  /**
   * Writes a record whose key and value are ranges of other buffers; a length of −1 is null.
   *
   * @returns where the record starts
   */
  append(
    timestamp: number,
    offset: number,
    key: Buffer,
    keyStart: number,
    keyLength: number,
    value: Buffer,
    valueStart: number,
    valueLength: number,
    headers: Headers,
  ): number {
    const target = this.#target;
    const start = this.endPosition;
    this.#timestampDelta = timestamp - this.baseTimestamp;
    this.#offsetDelta = offset - this.baseOffset;
    const fieldBytes = sizeOfField(keyLength) + sizeOfField(valueLength);
    const headersBytes = headers.length === 0 ? 1 : sizeOfHeaders(headers);
    const size = this.#fixedBytes() + fieldBytes + headersBytes;
    target.length = start;
    target.reserve(VARINT_BYTES_MAX + size);
    target.length = writeVarint(target.bytes, this.#writeHead(start, size), keyLength);
    if (keyLength > 0) target.writeRange(key, keyStart, keyStart + keyLength);
    target.length = writeVarint(target.bytes, target.length, valueLength);
    if (valueLength > 0) target.writeRange(value, valueStart, valueStart + valueLength);
    this.#writeHeaders(headers, headersBytes);
    this.endPosition = target.length;
    return start;
  }

  /**
   * Begins a record; key and value are serialised to where they stay. Against the base, its timestamp is a 32-bit number; so is its
   * offset.
   *
   * @returns where the key is to be written to, and after {@link endKey} the value
   */
  begin(timestamp: number, offset: number): ByteBuffer {
    const target = this.#target;
    this.#timestampDelta = timestamp - this.baseTimestamp;
    this.#offsetDelta = offset - this.baseOffset;
    target.length = this.endPosition;
    skip(target, this.#sizeBytes + this.#fixedBytes() + this.#keySizeBytes);
    this.#keyStart = target.length;
    return target;
  }

  /** Bytes between the length of the record and that of its key. */
  #fixedBytes(): number {
    return ATTRIBUTES_BYTES + sizeOfVarint(this.#timestampDelta) + sizeOfVarint(this.#offsetDelta);
  }

  endKey(isPresent: boolean): void {
    const target = this.#target;
    this.#keyLength = isPresent ? target.length - this.#keyStart : -1;
    skip(target, this.#valueSizeBytes);
    this.#valueStart = target.length;
  }

  /** @returns where the record starts */
  end(isPresent: boolean, headers: Headers): number {
    const start = this.endPosition;
    const keyLength = this.#keyLength;
    const valueLength = isPresent ? this.#target.length - this.#valueStart : -1;
    const fixedBytes = this.#fixedBytes();
    const keySizeBytes = sizeOfVarint(keyLength);
    const valueSizeBytes = sizeOfVarint(valueLength);
    const fieldBytes = keySizeBytes + Math.max(0, keyLength) + valueSizeBytes + Math.max(0, valueLength);
    const headersBytes = headers.length === 0 ? 1 : sizeOfHeaders(headers);
    const size = fixedBytes + fieldBytes + headersBytes;
    const sizeBytes = sizeOfVarint(size);

    const keyStart = start + sizeBytes + fixedBytes + keySizeBytes;
    const valueStart = keyStart + Math.max(0, keyLength) + valueSizeBytes;
    this.#place(keyStart, valueStart, valueLength);
    this.#sizeBytes = sizeBytes;
    this.#keySizeBytes = keySizeBytes;
    this.#valueSizeBytes = valueSizeBytes;

    const { bytes } = this.#target;
    writeVarint(bytes, this.#writeHead(start, size), keyLength);
    writeVarint(bytes, valueStart - valueSizeBytes, valueLength);
    this.#writeHeaders(headers, headersBytes);
    this.endPosition = this.#target.length;
    return start;
  }

  /** What comes before the key's length. @returns the position of that */
  #writeHead(start: number, size: number): number {
    const { bytes } = this.#target;
    let at = writeVarint(bytes, start, size);
    bytes[at++] = 0;
    at = writeVarint(bytes, at, this.#timestampDelta);
    return writeVarint(bytes, at, this.#offsetDelta);
  }

  /** Moves key and value to where they belong; `length` is then the end of the value. */
  #place(keyStart: number, valueStart: number, valueLength: number): void {
    const target = this.#target;
    const keyFrom = this.#keyStart;
    const valueFrom = this.#valueStart;
    const valueBytes = Math.max(0, valueLength);
    if (keyStart !== keyFrom || valueStart !== valueFrom) {
      const keyBytes = Math.max(0, this.#keyLength);
      target.reserve(Math.max(0, valueStart - valueFrom));
      const { bytes } = target;
      // To the right the value goes first, to the left the key: neither is written over before it has been read.
      if (valueStart > valueFrom) bytes.copyWithin(valueStart, valueFrom, valueFrom + valueBytes);
      bytes.copyWithin(keyStart, keyFrom, keyFrom + keyBytes);
      if (valueStart < valueFrom) bytes.copyWithin(valueStart, valueFrom, valueFrom + valueBytes);
    }
    target.length = valueStart + valueBytes;
  }

  #writeHeaders(headers: Headers, headersBytes: number): void {
    const target = this.#target;
    target.reserve(headersBytes);
    let at = writeVarint(target.bytes, target.length, headers.length);
    for (let i = 0; i < headers.length; i++) at = writeHeader(target.bytes, at, headers[i] as Header);
    target.length = at;
  }
}

/** Leaves room. */
function skip(target: ByteBuffer, count: number): void {
  target.reserve(count);
  target.length += count;
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
