import {
  type Api,
  ProtocolWriter,
  type RequestInput,
  requestHeaderVersion,
  writeRequest,
  writeRequestHeader,
} from '@millrace/wire';

/** What a request is sent as besides its body. */
export interface RequestIdentity {
  readonly correlationId: number;
  readonly clientId: string;
}

/** A request as it goes over the wire, its length in front. */
export function requestFrame<A extends Api>(
  api: A,
  apiVersion: number,
  body: RequestInput<A>,
  { correlationId, clientId }: RequestIdentity,
): Buffer {
  const writer = new ProtocolWriter();
  const size = writer.reserve(4);
  const header = { apiKey: api.key, apiVersion, correlationId, clientId };
  writeRequestHeader(writer, header, requestHeaderVersion(api, apiVersion));
  writeRequest(writer, api, apiVersion, body);
  writer.patchInt32(size, writer.position - 4);
  return Buffer.from(writer.view());
}
