import { CorruptDataError } from '@millrace/core';
import { ProtocolReader } from '../primitives/protocol-reader.ts';
import { ProtocolWriter } from '../primitives/protocol-writer.ts';
import {
  codecOf,
  type Api,
  type Direction,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
} from './api.ts';

/**
 * Encodes the body of a request: what follows the request header.
 *
 * @throws FatalStreamsError `UNSUPPORTED_VERSION`, or `UNSUPPORTED_FIELD` when the version cannot express a field that was given
 * @example encodeRequest(heartbeat, 4, { groupId: 'g', generationId: 3, memberId: 'm' })
 */
export function encodeRequest<A extends Api>(api: A, version: number, body: RequestInput<A>): Buffer {
  return encode(api, version, 'request', body);
}

/** Encodes the body of a response: what follows the response header. */
export function encodeResponse<A extends Api>(api: A, version: number, body: ResponseInput<A>): Buffer {
  return encode(api, version, 'response', body);
}

/**
 * Decodes the body of a request, which must fill `buffer`. Byte fields are views of it.
 *
 * @throws CorruptDataError when the bytes are not such a request
 */
export function decodeRequest<A extends Api>(api: A, version: number, buffer: Buffer): RequestOf<A> {
  return decode(api, version, 'request', new ProtocolReader(buffer)) as RequestOf<A>;
}

/**
 * Decodes the body of a response, which must fill `buffer`. Byte fields are views of it.
 *
 * @throws CorruptDataError when the bytes are not such a response
 */
export function decodeResponse<A extends Api>(api: A, version: number, buffer: Buffer): ResponseOf<A> {
  return decode(api, version, 'response', new ProtocolReader(buffer)) as ResponseOf<A>;
}

/** Appends the body of a request, behind a header that was written before. */
export function writeRequest<A extends Api>(writer: ProtocolWriter, api: A, version: number, body: RequestInput<A>): void {
  codecOf(api, version, 'request').write(writer, body);
}

/** Appends the body of a response, behind a header that was written before. */
export function writeResponse<A extends Api>(writer: ProtocolWriter, api: A, version: number, body: ResponseInput<A>): void {
  codecOf(api, version, 'response').write(writer, body);
}

/** Reads the body of a request that fills the rest of the reader. */
export function readRequest<A extends Api>(reader: ProtocolReader, api: A, version: number): RequestOf<A> {
  return decode(api, version, 'request', reader) as RequestOf<A>;
}

/** Reads the body of a response that fills the rest of the reader. */
export function readResponse<A extends Api>(reader: ProtocolReader, api: A, version: number): ResponseOf<A> {
  return decode(api, version, 'response', reader) as ResponseOf<A>;
}

function encode(api: Api, version: number, direction: Direction, body: unknown): Buffer {
  const writer = new ProtocolWriter();
  codecOf(api, version, direction).write(writer, body);
  return writer.view();
}

function decode(api: Api, version: number, direction: Direction, reader: ProtocolReader): unknown {
  const body = codecOf(api, version, direction).read(reader);
  if (reader.remaining !== 0) {
    throw new CorruptDataError(
      'TRAILING_BYTES',
      `${reader.remaining} bytes follow the ${direction} ${api.name} version ${version}`,
    );
  }
  return body;
}
