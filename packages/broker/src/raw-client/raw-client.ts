import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Api,
  ProtocolReader,
  readResponse,
  readResponseHeader,
  type RequestInput,
  type ResponseOf,
  responseHeaderVersion,
} from '@millrace/wire';
import { FrameReader } from '../server/frame-reader.ts';
import { requestFrame } from './request-frame.ts';

const FRAME_BYTES_MAX = 2 ** 30;

interface Waiting {
  resolve(frame: Buffer): void;
  reject(error: Error): void;
}

/**
 * One connection to a broker that says exactly what it is told.
 *
 * Why not a client: every client retries, batches and hides what it gets, and what is tested with this is what a broker answers.
 *
 * @example
 * using client = await RawClient.connect(broker);
 * const { brokers } = await client.send(describeCluster, 0, {});
 */
export class RawClient implements Disposable {
  readonly #stream: Duplex;
  readonly #clientId: string;
  readonly #waiting: Waiting[] = [];
  #correlationId = 0;

  /** @param stream an open connection, such as one within the process */
  constructor(stream: Duplex, clientId = 'raw') {
    this.#stream = stream;
    this.#clientId = clientId;
    const reader = new FrameReader(FRAME_BYTES_MAX, (frame) => this.#waiting.shift()?.resolve(frame));
    stream.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) stream.destroy();
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection was closed'));
    });
  }

  /**
   * @param address as `host:port` or in its parts
   * @param clientId what the broker shows of the client
   */
  static async connect(
    address: string | { readonly host: string; readonly port: number },
    clientId?: string,
  ): Promise<RawClient> {
    const { host, port } = typeof address === 'string' ? partsOf(address) : address;
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket, clientId);
  }

  get isOpen(): boolean {
    return !this.#stream.destroyed;
  }

  /** Sends a request and resolves with its response; rejects when the connection is closed instead. */
  async send<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const frame = await this.#exchange(this.#frameOf(api, version, body));
    const reader = new ProtocolReader(frame);
    readResponseHeader(reader, responseHeaderVersion(api, version));
    return readResponse(reader, api, version);
  }

  /** Sends bytes as they are and resolves with the next frame that comes. */
  sendBytes(bytes: Buffer): Promise<Buffer> {
    return this.#exchange(bytes);
  }

  /** Sends a request that has no response. */
  post<A extends Api>(api: A, version: number, body: RequestInput<A>): void {
    this.#stream.write(this.#frameOf(api, version, body));
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  #frameOf<A extends Api>(api: A, version: number, body: RequestInput<A>): Buffer {
    return requestFrame(api, version, body, { correlationId: this.#correlationId++, clientId: this.#clientId });
  }

  #exchange(bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#stream.destroyed) return reject(new Error('the connection was closed'));
      this.#waiting.push({ resolve, reject });
      this.#stream.write(bytes);
    });
  }
}

function partsOf(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
