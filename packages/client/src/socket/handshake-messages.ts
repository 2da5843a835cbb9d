import { ProtocolReader, ProtocolWriter } from '@millrace/wire';
import type { ApiRange, BrokerFeatures } from '../port/transport.ts';

const software = { name: 'millrace', version: '0.1.0' };
const finalizedFeaturesTag = 2;

export interface SaslAnswer {
  readonly errorCode: number;
  readonly errorMessage: string | undefined;
  readonly bytes: Buffer;
  readonly sessionLifetimeMs: number;
}

export function encodeApiVersionsRequest(): Buffer {
  const writer = new ProtocolWriter(64);
  writer.string(software.name, true);
  writer.string(software.version, true);
  writer.uvarint(0);
  return writer.take();
}

/** Version 0 (also the form of every refusal) or version 3. */
export function decodeApiVersionsResponse(body: Buffer, version: 0 | 3): { readonly errorCode: number } & BrokerFeatures {
  const reader = new ProtocolReader(body);
  const errorCode = reader.int16();
  const apis = new Map<number, ApiRange>();
  const finalizedFeatures = new Map<string, number>();
  if (errorCode !== 0) return { errorCode, apis, finalizedFeatures };
  for (let count = reader.arrayLength(version === 3, 6); count > 0; count--) {
    apis.set(reader.int16(), { min: reader.int16(), max: reader.int16() });
    if (version === 3) skipTags(reader);
  }
  if (version === 3) {
    reader.int32();
    for (let tags = reader.uvarint(); tags > 0; tags--) {
      const tag = reader.uvarint();
      const end = reader.uvarint() + reader.position;
      if (tag === finalizedFeaturesTag) readFinalizedFeatures(reader, finalizedFeatures);
      reader.skip(end - reader.position);
    }
  }
  return { errorCode, apis, finalizedFeatures };
}

function readFinalizedFeatures(reader: ProtocolReader, into: Map<string, number>): void {
  for (let count = reader.arrayLength(true, 6); count > 0; count--) {
    into.set(reader.utf8(reader.stringLength(true)), reader.int16());
    reader.int16();
    skipTags(reader);
  }
}

function skipTags(reader: ProtocolReader): void {
  for (let tags = reader.uvarint(); tags > 0; tags--) {
    reader.uvarint();
    reader.skip(reader.uvarint());
  }
}

export function encodeSaslHandshakeRequest(mechanism: string): Buffer {
  const writer = new ProtocolWriter(64);
  writer.string(mechanism, false);
  return writer.take();
}

export function decodeSaslHandshakeResponse(body: Buffer): { readonly errorCode: number; readonly mechanisms: string[] } {
  const reader = new ProtocolReader(body);
  const errorCode = reader.int16();
  const mechanisms: string[] = [];
  for (let count = reader.arrayLength(false, 2); count > 0; count--) mechanisms.push(reader.utf8(reader.stringLength(false)));
  return { errorCode, mechanisms };
}

export function encodeSaslAuthenticateRequest(bytes: Buffer): Buffer {
  const writer = new ProtocolWriter(256);
  writer.bytes(bytes, true);
  writer.uvarint(0);
  return writer.take();
}

export function decodeSaslAuthenticateResponse(body: Buffer): SaslAnswer {
  const reader = new ProtocolReader(body);
  const errorCode = reader.int16();
  const messageLength = reader.stringLength(true);
  const errorMessage = messageLength < 0 ? undefined : reader.utf8(messageLength);
  const bytes = reader.bytes(Math.max(0, reader.bytesLength(true)));
  return { errorCode, errorMessage, bytes, sessionLifetimeMs: reader.int64() };
}
