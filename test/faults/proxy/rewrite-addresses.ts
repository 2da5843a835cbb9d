import {
  type Api,
  describeCluster,
  findCoordinator,
  metadata,
  ProtocolReader,
  ProtocolWriter,
  readResponse,
  readResponseHeader,
  type ResponseInput,
  responseHeaderVersion,
  writeResponse,
  writeResponseHeader,
} from '@millrace/wire';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Answers that name brokers; all others pass as they are. */
const NAMING: readonly Api[] = [metadata, findCoordinator, describeCluster];

/** Puts the proxy's address in place of the broker's, so that clients come back through it. */
export function rewriteAddresses(frame: Buffer, apiKey: number, version: number, address: Address): Buffer {
  const api = NAMING.find(({ key }) => key === apiKey);
  if (api === undefined) return frame;
  const headerVersion = responseHeaderVersion(api, version);
  const reader = new ProtocolReader(frame, 4, frame.length);
  const correlationId = readResponseHeader(reader, headerVersion);
  const body = readdress(readResponse(reader, api, version), address);
  const writer = new ProtocolWriter();
  const size = writer.reserve(4);
  writeResponseHeader(writer, correlationId, headerVersion);
  writeResponse(writer, api, version, body as ResponseInput<Api>);
  writer.patchInt32(size, writer.position - 4);
  return Buffer.from(writer.view());
}

/** Replaces each pair of `host` and `port`, wherever it stands; −1 and the empty host mean that there is none. */
function readdress(value: unknown, address: Address): unknown {
  if (Array.isArray(value)) return value.map((one) => readdress(one, address));
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) copy[name] = readdress(field, address);
  if (typeof copy.port === 'number' && copy.port > 0) Object.assign(copy, address);
  return copy;
}
