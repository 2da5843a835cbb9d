import { CorruptDataError } from '@millrace/core';
import type { ProtocolReader } from '../primitives/protocol-reader.ts';
import type { ProtocolWriter } from '../primitives/protocol-writer.ts';
import { isFlexible, type Api } from './api.ts';

const API_VERSIONS_KEY = 18;

/** The part of a request that is the same for all APIs. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | undefined;
}

/** Version of the header in front of a request: 2 where the request is flexible, else 1. */
export function requestHeaderVersion(api: Api, version: number): 1 | 2 {
  return isFlexible(api, version) ? 2 : 1;
}

/**
 * Version of the header in front of a response: 1 where the response is flexible, else 0. ApiVersions always has 0: its client
 * does not know yet what the broker speaks.
 */
export function responseHeaderVersion(api: Api, version: number): 0 | 1 {
  return api.key !== API_VERSIONS_KEY && isFlexible(api, version) ? 1 : 0;
}

export function writeRequestHeader(writer: ProtocolWriter, header: RequestHeader, headerVersion: 1 | 2): void {
  writer.int16(header.apiKey);
  writer.int16(header.apiVersion);
  writer.int32(header.correlationId);
  // The client id keeps the old form of strings even in version 2, so that any broker can read it.
  writer.string(header.clientId, false);
  if (headerVersion === 2) writer.uvarint(0);
}

/**
 * Reads the header of a request, for a broker.
 *
 * @param versionOf tells the header version from API key and version; asked after these were read
 */
export function readRequestHeader(
  reader: ProtocolReader,
  versionOf: (apiKey: number, apiVersion: number) => 1 | 2,
): RequestHeader {
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const clientIdLength = reader.stringLength(false);
  const clientId = clientIdLength < 0 ? undefined : reader.utf8(clientIdLength);
  if (versionOf(apiKey, apiVersion) === 2) skipTags(reader);
  return { apiKey, apiVersion, correlationId, clientId };
}

export function writeResponseHeader(writer: ProtocolWriter, correlationId: number, headerVersion: 0 | 1): void {
  writer.int32(correlationId);
  if (headerVersion === 1) writer.uvarint(0);
}

/** Reads the header of a response and returns its correlation id. */
export function readResponseHeader(reader: ProtocolReader, headerVersion: 0 | 1): number {
  const correlationId = reader.int32();
  if (headerVersion === 1) skipTags(reader);
  return correlationId;
}

/** Passes over a tag section; for transports that read the correlation id themselves and hand over the rest. */
export function skipTags(reader: ProtocolReader): void {
  const count = reader.uvarint();
  // A tag takes at least two bytes, so that a hostile count ends the loop at the end of the bytes.
  if (count * 2 > reader.remaining)
    throw new CorruptDataError('CORRUPT_TAG', `${count} tags claimed in ${reader.remaining} bytes`);
  for (let i = 0; i < count; i++) {
    reader.uvarint();
    reader.skip(reader.uvarint());
  }
}
