import type { Duplex } from 'node:stream';
import { SettingsError } from '@millrace/core';
import type { OpenConnection } from '../lane/broker-connection.ts';
import { type BrokerEndpoint, formatEndpoint } from '../lane/broker-endpoint.ts';
import { LaneTransport } from '../lane/lane-transport.ts';
import { resolveTransportOptions, type TransportOptions } from '../lane/transport-options.ts';
import type { Transport } from '../port/transport.ts';
import { openSocket } from './open-socket.ts';
import { SocketConnection } from './socket-connection.ts';

/** Settings and components of the socket transport. */
export interface SocketTransportOptions extends TransportOptions {
  /**
   * Longest response that is accepted; a broker that announces more is cut off. It must hold the largest fetch.
   * Unit bytes · range 1 024 to 2 147 483 647 · default 268 435 456 (256 MiB).
   */
  readonly responseBytesMax?: number;
  /**
   * Opens the connection to a broker in place of `node:net` and `node:tls`: through a proxy, or within the process to a
   * development broker. What it gives is open, and closed by the transport. Default: sockets, with TLS if asked for.
   *
   * @throws any error when the broker can not be reached; it is tried again later
   */
  readonly openStream?: (endpoint: BrokerEndpoint, signal: AbortSignal) => Duplex | Promise<Duplex>;
}

const responseBytesMaxDefault = 256 * 1024 * 1024;

/**
 * Makes a transport over plain sockets: `node:net` and `node:tls`, SASL PLAIN and SCRAM, nothing else.
 *
 * Connections are opened by the first request for a broker and lane, and opened again when they were lost.
 *
 * @throws SettingsError when an option is out of range
 * @example
 * const transport = createSocketTransport({ brokers: ['localhost:9092'] });
 */
export function createSocketTransport(options: SocketTransportOptions): Transport {
  const { responseBytesMax = responseBytesMaxDefault } = options;
  if (!(responseBytesMax >= 1024 && responseBytesMax <= 0x7fff_ffff)) {
    throw new SettingsError(
      'INVALID_TRANSPORT_OPTIONS',
      `"responseBytesMax" is ${responseBytesMax}, but must lie between 1024 and 2147483647`,
    );
  }
  const resolved = resolveTransportOptions(options);
  const { sasl, random } = resolved;
  const { openStream = (endpoint, signal) => openSocket(endpoint, resolved, signal) } = options;
  const clientId = Buffer.from(resolved.clientId, 'utf8');
  const open: OpenConnection = async (endpoint, signal) => {
    const socket = await openStream(endpoint, signal);
    return new SocketConnection(socket, { node: formatEndpoint(endpoint), clientId, sasl, random, responseBytesMax });
  };
  return new LaneTransport('socket', open, resolved);
}
