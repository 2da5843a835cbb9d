import { ProtocolReader } from '@millrace/wire';
import type { TransportRequest } from '../port/transport.ts';

const apiVersionsKey = 18;
const correlationIdBytes = 4;

/**
 * The body of a response: what follows the correlation id and, for flexible versions, the header's tag section. Responses to
 * ApiVersions never have that section, so that a client can read them whatever the broker's version is (KIP-511).
 *
 * @throws CorruptDataError when the tag section does not fit into the frame
 */
export function responseBody(frame: Buffer, request: TransportRequest): Buffer {
  if (!request.flexible || request.apiKey === apiVersionsKey) return frame.subarray(correlationIdBytes);
  if (frame[correlationIdBytes] === 0) return frame.subarray(correlationIdBytes + 1);
  const reader = new ProtocolReader(frame, correlationIdBytes);
  for (let tags = reader.uvarint(); tags > 0; tags--) {
    reader.uvarint();
    reader.skip(reader.uvarint());
  }
  return frame.subarray(reader.position);
}
