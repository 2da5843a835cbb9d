import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  apiVersions,
  encodeResponse,
  metadata,
  ProtocolReader,
  ProtocolWriter,
  readRequest,
  readRequestHeader,
  writeResponseHeader,
} from '@millrace/wire';

/**
 * A broker in this process that knows ApiVersions and Metadata: enough to try, without a Kafka, everything about a transport
 * that does not depend on what the requests mean.
 */
export class ScriptedBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker();
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0);
        socket.write(this.#answer(received.subarray(4, end)));
        received = received.subarray(end);
      }
    });
  }

  #answer(frame: Buffer): Buffer {
    const reader = new ProtocolReader(frame);
    const isFlexible = (key: number, version: number): boolean => version >= (key === metadata.key ? 9 : 3);
    const header = readRequestHeader(reader, (key, version) => (isFlexible(key, version) ? 2 : 1));
    const { apiKey, apiVersion, correlationId } = header;
    const body = this.#body(reader, apiKey, apiVersion);
    const writer = new ProtocolWriter();
    const size = writer.reserve(4);
    writeResponseHeader(writer, correlationId, apiKey !== apiVersions.key && isFlexible(apiKey, apiVersion) ? 1 : 0);
    writer.raw(body);
    writer.patchInt32(size, writer.position - 4);
    return writer.view();
  }

  #body(reader: ProtocolReader, apiKey: number, apiVersion: number): Buffer {
    if (apiKey === metadata.key) {
      readRequest(reader, metadata, apiVersion);
      const brokers = [{ nodeId: 1, host: '127.0.0.1', port: this.port, rack: undefined }];
      return encodeResponse(metadata, apiVersion, { brokers, clusterId: 'scripted', controllerId: 1, topics: [] });
    }
    readRequest(reader, apiVersions, apiVersion);
    const apiKeys = [
      { apiKey: metadata.key, minVersion: 0, maxVersion: 12 },
      { apiKey: apiVersions.key, minVersion: 0, maxVersion: 4 },
    ];
    const features = { finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 1 }] };
    return encodeResponse(apiVersions, apiVersion, { errorCode: 0, apiKeys, ...(apiVersion >= 3 ? features : {}) });
  }
}
