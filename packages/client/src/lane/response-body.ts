import { apiVersions, ProtocolReader, skipTags } from '@millrace/wire';
import type { TransportRequest } from '../port/transport.ts';

/**
 * The body of a response: what follows its header, given everything behind the correlation id. Responses to flexible requests
 * have a tag section there, except those to ApiVersions, which must be readable whatever the broker's version is (KIP-511).
 *
 * @param bytes a frame, or a part of it
 * @param start where the correlation id ends
 * @throws CorruptDataError when the tag section does not fit
 */
export function responseBody(bytes: Buffer, start: number, request: TransportRequest): Buffer {
  if (!request.flexible || request.apiKey === apiVersions.key) return bytes.subarray(start);
  if (bytes[start] === 0) return bytes.subarray(start + 1);
  const reader = new ProtocolReader(bytes, start);
  skipTags(reader);
  return bytes.subarray(reader.position);
}
