import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { BrokerEndpoint } from '../lane/broker-endpoint.ts';

/** A connection through the proxy: the client's side and the broker's. */
interface Pair {
  readonly client: Socket;
  readonly broker: Socket;
}

/** A TCP proxy on loopback that breaks connections in exactly the way a test wants. */
export class TcpProxy {
  /** Connections accepted so far. */
  accepted = 0;
  /** Bytes that clients sent so far. */
  bytesToBroker = 0;
  /** Bytes that the broker sent so far, passed on or held back. */
  bytesFromBroker = 0;
  /** Closes every new connection at once. */
  refuses = false;
  readonly #upstream: BrokerEndpoint;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #holdsAnswers = false;

  private constructor(upstream: BrokerEndpoint) {
    this.#upstream = upstream;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param port default: a free one */
  static async start(upstream: BrokerEndpoint, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(upstream);
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get connected(): number {
    return this.#pairs.size;
  }

  /** From now on nothing that the broker answers reaches the client, on connections that exist now. */
  holdAnswers(): void {
    this.#holdsAnswers = true;
  }

  /** New connections pass answers again; those that were held stay so. */
  passAnswers(): void {
    this.#holdsAnswers = false;
  }

  /** Ends every connection. */
  cut(): void {
    for (const { client, broker } of this.#pairs) {
      client.destroy();
      broker.destroy();
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.accepted++;
    client.on('error', () => undefined);
    if (this.refuses) {
      client.destroy();
      return;
    }
    const broker = connect(this.#upstream);
    const pair = { client, broker };
    let isHeld = false;
    this.#pairs.add(pair);
    client.on('data', (chunk: Buffer) => {
      this.bytesToBroker += chunk.length;
      broker.write(chunk);
    });
    broker.on('data', (chunk: Buffer) => {
      this.bytesFromBroker += chunk.length;
      isHeld ||= this.#holdsAnswers;
      if (!isHeld) client.write(chunk);
    });
    broker.on('error', () => undefined);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      broker.destroy();
    };
    client.on('close', end);
    broker.on('close', end);
  }
}
