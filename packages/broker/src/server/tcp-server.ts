import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { FatalStreamsError } from '@millrace/core';
import { Connection, type Exchange } from './connection.ts';

export interface TcpServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly requestBytesMax: number;
  readonly connectionsMax: number;
  readonly handle: (exchange: Exchange) => void;
}

/** Listens for clients. */
export class TcpServer {
  readonly #options: TcpServerOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();

  constructor(options: TcpServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = options.connectionsMax;
  }

  /**
   * @returns the port
   * @throws FatalStreamsError ADDRESS_UNAVAILABLE when the port is taken or may not be used
   */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    this.#server.listen(port, host);
    try {
      await once(this.#server, 'listening');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const reason = code === 'EADDRINUSE' ? 'it is in use' : code === 'EACCES' ? 'the right to use it is missing' : code;
      throw new FatalStreamsError(
        'ADDRESS_UNAVAILABLE',
        `the broker cannot listen on ${host}:${port}: ${reason}; choose another port, or 0 for any that is free`,
        { cause },
      );
    }
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and drops every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  #accept(socket: Socket): void {
    const { requestBytesMax, handle } = this.#options;
    socket.setNoDelay(true);
    const clientHost = `/${socket.remoteAddress ?? ''}`;
    const connection = new Connection(socket, { clientHost, requestBytesMax, handle });
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }
}
