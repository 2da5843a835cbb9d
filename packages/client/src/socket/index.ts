/**
 * The transport over plain sockets: no third party, TLS and SASL PLAIN/SCRAM included.
 *
 * @module
 */
export type { SocketTransportOptions } from './socket-options.ts';
export { createSocketTransport } from './socket-transport.ts';
