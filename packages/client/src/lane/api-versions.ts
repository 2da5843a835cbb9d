import { apiVersions, decodeResponse, encodeRequest } from '@millrace/wire';
import type { BrokerFeatures } from '../port/transport.ts';
import type { HandshakeExchange } from './broker-connection.ts';
import { unsupportedVersion } from './connection-errors.ts';

const software = { clientSoftwareName: 'millrace', clientSoftwareVersion: '0.1.0' };
const unsupportedVersionCode = 35;

/**
 * Asks what the broker offers: ApiVersions 3, or 0 if it answers that it does not know 3 (KIP-511).
 *
 * @throws FatalStreamsError UNSUPPORTED_VERSION when it answers neither
 */
export async function askFeatures(exchange: HandshakeExchange, node: string): Promise<BrokerFeatures> {
  const asked = await exchange(requestOf(3, true));
  // A refusal has the format of version 0, whatever was asked.
  const errorCode = asked.length >= 2 ? asked.readInt16BE(0) : unsupportedVersionCode;
  if (errorCode === 0) return featuresOf(3, asked, node);
  if (errorCode !== unsupportedVersionCode) throw unsupportedVersion(node, `ApiVersions 3 failed with error ${errorCode}`);
  return featuresOf(0, await exchange(requestOf(0, false)), node);
}

function requestOf(apiVersion: 0 | 3, flexible: boolean) {
  return {
    apiKey: apiVersions.key,
    apiVersion,
    flexible,
    body: encodeRequest(apiVersions, apiVersion, apiVersion === 3 ? software : {}),
  };
}

function featuresOf(version: 0 | 3, body: Buffer, node: string): BrokerFeatures {
  const { errorCode, apiKeys, finalizedFeatures } = decodeResponse(apiVersions, version, body);
  if (errorCode !== 0) throw unsupportedVersion(node, `ApiVersions ${version} failed with error ${errorCode}`);
  return {
    apis: new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }])),
    finalizedFeatures: new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
  };
}

/**
 * Checks a request before it is sent: a broker drops the whole connection on a version that it does not know. ApiVersions
 * itself is answered in any version.
 *
 * @throws FatalStreamsError UNSUPPORTED_VERSION
 */
export function assertOffered(features: BrokerFeatures, apiKey: number, apiVersion: number, node: string): void {
  const range = features.apis.get(apiKey);
  if (apiKey === apiVersions.key || (range !== undefined && apiVersion >= range.min && apiVersion <= range.max)) return;
  const offer = range === undefined ? 'not at all' : `in versions ${range.min} to ${range.max}`;
  throw unsupportedVersion(
    node,
    `the request with api key ${apiKey} needs version ${apiVersion}, but the broker offers it ${offer}`,
  );
}
