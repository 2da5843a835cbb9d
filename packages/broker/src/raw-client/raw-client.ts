import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  type Api,
  ProtocolReader,
  ProtocolWriter,
  readResponse,
  readResponseHeader,
  type RequestInput,
  requestHeaderVersion,
  type ResponseOf,
  responseHeaderVersion,
  writeRequest,
  writeRequestHeader,
} from '@millrace/wire';
import { FrameReader } from '../server/frame-reader.ts';

interface Waiting {
  resolve(frame: Buffer): void;
  reject(error: Error): void;
}

/** One connection that says exactly what it is told: for tests of the broker, which no client library may soften. */
export class RawClient implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new FrameReader(2 ** 30, (frame) => this.#waiting.shift()?.resolve(frame));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection was closed'));
    });
  }

  static async connect({ host, port }: { readonly host: string; readonly port: number }): Promise<RawClient> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends a request and resolves with its response; rejects when the connection is closed instead. */
  async send<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const answer = await this.#exchange(frameOf(api, version, this.#correlationId++, body));
    const reader = new ProtocolReader(answer);
    readResponseHeader(reader, responseHeaderVersion(api, version));
    return readResponse(reader, api, version);
  }

  /** Sends bytes as they are and resolves with the next frame that comes. */
  sendBytes(bytes: Buffer): Promise<Buffer> {
    return this.#exchange(bytes);
  }

  /** Sends a request that has no response. */
  post<A extends Api>(api: A, version: number, body: RequestInput<A>): void {
    this.#socket.write(frameOf(api, version, this.#correlationId++, body));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #exchange(bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection was closed'));
      this.#waiting.push({ resolve, reject });
      this.#socket.write(bytes);
    });
  }
}

function frameOf<A extends Api>(api: A, apiVersion: number, correlationId: number, body: RequestInput<A>): Buffer {
  const writer = new ProtocolWriter();
  const size = writer.reserve(4);
  const header = { apiKey: api.key, apiVersion, correlationId, clientId: 'raw' };
  writeRequestHeader(writer, header, requestHeaderVersion(api, apiVersion));
  writeRequest(writer, api, apiVersion, body);
  writer.patchInt32(size, writer.position - 4);
  return Buffer.from(writer.view());
}
