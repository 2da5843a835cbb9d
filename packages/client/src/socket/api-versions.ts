import type { BrokerFeatures } from '../port/transport.ts';
import { unsupportedVersion } from './connection-errors.ts';
import type { HandshakeExchange } from './handshake-exchange.ts';
import { decodeApiVersionsResponse, encodeApiVersionsRequest } from './handshake-messages.ts';

export const apiVersionsKey = 18;
const unsupportedVersionCode = 35;

/**
 * Asks what the broker offers: ApiVersions 3, or 0 if it answers that it does not know 3 (KIP-511).
 *
 * @throws FatalStreamsError UNSUPPORTED_VERSION when it answers neither
 */
export async function askFeatures(exchange: HandshakeExchange, node: string): Promise<BrokerFeatures> {
  const request = { apiKey: apiVersionsKey, apiVersion: 3, flexible: true, body: encodeApiVersionsRequest() };
  const body = await exchange(request);
  // A refusal comes in the format of version 0, whatever was asked.
  const errorCode = body.length >= 2 ? body.readInt16BE(0) : unsupportedVersionCode;
  if (errorCode === 0) return decodeApiVersionsResponse(body, 3);
  if (errorCode !== unsupportedVersionCode) throw unsupportedVersion(node, `ApiVersions failed with error ${errorCode}`);
  const older = decodeApiVersionsResponse(
    await exchange({ apiKey: apiVersionsKey, apiVersion: 0, flexible: false, body: Buffer.alloc(0) }),
    0,
  );
  if (older.errorCode !== 0) throw unsupportedVersion(node, `ApiVersions 0 failed with error ${older.errorCode}`);
  return older;
}

/** @throws FatalStreamsError UNSUPPORTED_VERSION when the broker would drop the connection on this request */
export function assertOffered(features: BrokerFeatures, apiKey: number, apiVersion: number, node: string): void {
  const range = features.apis.get(apiKey);
  if (range !== undefined && apiVersion >= range.min && apiVersion <= range.max) return;
  const offer = range === undefined ? 'not at all' : `in versions ${range.min} to ${range.max}`;
  throw unsupportedVersion(
    node,
    `the request with api key ${apiKey} needs version ${apiVersion}, but the broker offers it ${offer}`,
  );
}
