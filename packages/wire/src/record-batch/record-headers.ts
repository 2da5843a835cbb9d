import { CorruptDataError, NO_HEADERS, utf8Write, type Header, type Headers } from '@millrace/core';
import type { ProtocolReader } from '../primitives/protocol-reader.ts';
import { sizeOfVarint, writeVarint } from '../primitives/varint.ts';

/** Bytes that the headers of a record take, their count included. */
export function sizeOfHeaders(headers: Headers): number {
  let size = sizeOfVarint(headers.length);
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i] as Header;
    const keyLength = Buffer.byteLength(header.key);
    const valueLength = header.value == null ? -1 : header.value.length;
    size += sizeOfVarint(keyLength) + keyLength + sizeOfVarint(valueLength) + Math.max(0, valueLength);
  }
  return size;
}

/** Writes the headers of a record at `position`, for which {@link sizeOfHeaders} bytes are free; returns the position after them. */
export function writeHeaders(buffer: Buffer, position: number, headers: Headers): number {
  let at = writeVarint(buffer, position, headers.length);
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i] as Header;
    const keyLength = Buffer.byteLength(header.key);
    at = writeVarint(buffer, at, keyLength);
    utf8Write(buffer, header.key, at);
    at += keyLength;
    at = writeHeaderValue(buffer, at, header.value);
  }
  return at;
}

function writeHeaderValue(buffer: Buffer, position: number, value: Uint8Array | undefined): number {
  if (value == null) return writeVarint(buffer, position, -1);
  const at = writeVarint(buffer, position, value.length);
  buffer.set(value, at);
  return at + value.length;
}

/**
 * Reads `count` headers, which must end where the reader ends. Values are views.
 *
 * @throws CorruptDataError when they do not
 */
export function readHeaders(reader: ProtocolReader, count: number): Headers {
  if (count === 0) return NO_HEADERS;
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) {
    const keyLength = reader.varint();
    if (keyLength < 0) throw new CorruptDataError('CORRUPT_RECORD', `header ${i} has no key`);
    const key = reader.utf8(keyLength);
    const valueLength = reader.varint();
    if (valueLength < -1) throw new CorruptDataError('CORRUPT_RECORD', `header ${i} has value length ${valueLength}`);
    headers.push({ key, value: valueLength === -1 ? undefined : reader.bytes(valueLength) });
  }
  if (reader.remaining !== 0) {
    throw new CorruptDataError('CORRUPT_RECORD', `${reader.remaining} bytes follow the last header of the record`);
  }
  return headers;
}
