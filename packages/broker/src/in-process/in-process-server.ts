import { Connection, type ConnectionOptions } from '../server/connection.ts';
import { createLink, type InProcessConnection } from './in-process-link.ts';
import type { TransferSchedule } from './transfer.ts';

/** What the clients of this process seem to come from. */
const CLIENT_HOST = '/127.0.0.1';

export type InProcessServerOptions = Omit<ConnectionOptions, 'clientHost'>;

/** Serves clients within the process: one node of a broker, without a port. */
export class InProcessServer {
  readonly #options: InProcessServerOptions;
  readonly #connections = new Set<Connection>();

  constructor(options: InProcessServerOptions) {
    this.#options = options;
  }

  connect(name: { readonly connection: number; readonly nodeId: number }, schedule: TransferSchedule): InProcessConnection {
    const { socket, peer, cut } = createLink(name, schedule);
    const connection = new Connection(peer, { ...this.#options, clientHost: CLIENT_HOST });
    this.#connections.add(connection);
    peer.once('close', () => this.#connections.delete(connection));
    return { socket, cut };
  }

  /** Drops every connection. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
