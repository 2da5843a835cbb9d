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

interface Waiting {
  resolve(frame: Buffer): void;
  reject(error: Error): void;
}

/**
 * One connection to a broker that says exactly what it is told.
 *
 * Why not a client: every client retries, batches and hides what it gets, and what is compared here is what a broker answers.
 */
export class Connection implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received: Buffer = Buffer.alloc(0);
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection was closed'));
    });
  }

  /** @param address `host:port` */
  static async open(address: string): Promise<Connection> {
    const colon = address.lastIndexOf(':');
    const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Sends a request and resolves with its response; rejects when the connection is closed instead. */
  async send<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const frame = await this.#exchange(frameOf(api, version, this.#correlationId++, body));
    const reader = new ProtocolReader(frame);
    readResponseHeader(reader, responseHeaderVersion(api, version));
    return readResponse(reader, api, version);
  }

  /** Sends bytes as they are and does not wait for anything. */
  sendBytes(bytes: Buffer): void {
    this.#waiting.push({ resolve: () => undefined, reject: () => undefined });
    this.#socket.write(bytes);
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

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0);
      if (this.#received.length < end) return;
      this.#waiting.shift()?.resolve(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
    }
  }
}

/** A request as it goes over the wire, its length in front. */
export function frameOf<A extends Api>(api: A, apiVersion: number, correlationId: number, body: RequestInput<A>): Buffer {
  const writer = new ProtocolWriter();
  const size = writer.reserve(4);
  const header = { apiKey: api.key, apiVersion, correlationId, clientId: 'differential' };
  writeRequestHeader(writer, header, requestHeaderVersion(api, apiVersion));
  writeRequest(writer, api, apiVersion, body);
  writer.patchInt32(size, writer.position - 4);
  return Buffer.from(writer.view());
}
