import { CorruptDataError, type Logger } from '@millrace/core';
import {
  apiVersions,
  ErrorCode,
  ProtocolReader,
  ProtocolWriter,
  readRequest,
  readRequestHeader,
  type RequestHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  writeResponse,
  writeResponseHeader,
  type Api,
  type ResponseInput,
} from '@millrace/wire';
import type { FaultPlan } from '../faults/fault-plan.ts';
import type { Exchange } from './connection.ts';
import type { Call, Handler } from './handler.ts';
import { responseBytes } from './response-bytes.ts';

/** Finds the handler of a request, decodes for it and encodes what it answers. */
export class RequestRouter {
  readonly #handlers: ReadonlyMap<number, Handler>;
  readonly #faults: FaultPlan;
  readonly #logger: Logger;

  constructor(handlers: readonly Handler[], faults: FaultPlan, logger: Logger) {
    this.#handlers = new Map(handlers.map((handler) => [handler.api.key, handler]));
    this.#faults = faults;
    this.#logger = logger;
  }

  /** Never throws: bytes that are no request cost their sender the connection, and nobody else anything. */
  handle(exchange: Exchange, nodeId: number): void {
    try {
      this.#route(exchange, nodeId);
    } catch (error) {
      if (!(error instanceof CorruptDataError)) this.#logger.error('a request failed; its connection is closed', { error });
      exchange.disconnect();
    }
  }

  #route(exchange: Exchange, nodeId: number): void {
    const reader = new ProtocolReader(exchange.frame);
    const header = readRequestHeader(reader, (apiKey, version) => this.#headerVersion(apiKey, version));
    const handler = this.#handlers.get(header.apiKey);
    if (handler !== undefined && isServed(handler, header.apiVersion)) {
      this.#serve(handler, header, readRequest(reader, handler.api, header.apiVersion), exchange, nodeId);
    } else if (header.apiKey === apiVersions.key && handler !== undefined) {
      // A client that does not know us yet gets told in a form that every client can read (KIP-511).
      exchange.respond(encode(apiVersions, 0, header.correlationId, refusedApiVersions(handler)));
    } else {
      this.#logger.debug('an API or version that is not offered; the connection is closed', { ...header });
      exchange.disconnect();
    }
  }

  #headerVersion(apiKey: number, version: number): 1 | 2 {
    const handler = this.#handlers.get(apiKey);
    return handler !== undefined && isServed(handler, version) ? requestHeaderVersion(handler.api, version) : 1;
  }

  #serve(handler: Handler, header: RequestHeader, request: unknown, exchange: Exchange, nodeId: number): void {
    const { api } = handler;
    const { apiVersion, correlationId, clientId = '' } = header;
    const { clientHost } = exchange;
    const call: Call = {
      nodeId,
      apiVersion,
      clientId,
      clientHost,
      disconnect: () => exchange.disconnect(),
      onDisconnect: (listener) => exchange.onDisconnect(listener),
    };
    // A waiting request is answered from a timer or from another connection's request, which must not suffer from it.
    const guarded = (answer: () => void): void => {
      try {
        answer();
      } catch (error) {
        this.#logger.error('a response could not be sent; its connection is closed', { api: api.name, error });
        exchange.disconnect();
      }
    };
    const encoded = (response: ResponseInput<Api> | undefined): Buffer | undefined =>
      response === undefined ? undefined : encode(api, apiVersion, correlationId, response);
    this.#faults.around({ api, apiVersion, request }, exchange, {
      apply: (reply) => handler.handle(request, call, (response) => guarded(() => reply(response))),
      send: (response) => exchange.respond(encoded(response)),
      sendPart: (response, bytes) => exchange.respondPartly(encoded(response)?.subarray(0, bytes) ?? Buffer.alloc(0)),
    });
  }
}

function isServed({ api, versions }: Handler, version: number): boolean {
  return version >= Math.max(versions.min, api.versionMin) && version <= versions.max;
}

function refusedApiVersions({ versions }: Handler): ResponseInput<typeof apiVersions> {
  const apiKeys = [{ apiKey: apiVersions.key, minVersion: versions.min, maxVersion: versions.max }];
  return { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys };
}

function encode<A extends Api>(api: A, version: number, correlationId: number, response: ResponseInput<A>): Buffer {
  const writer = new ProtocolWriter(responseBytes(api, response));
  const size = writer.reserve(4);
  writeResponseHeader(writer, correlationId, responseHeaderVersion(api, version));
  writeResponse(writer, api, version, response);
  writer.patchInt32(size, writer.position - 4);
  return writer.view();
}
