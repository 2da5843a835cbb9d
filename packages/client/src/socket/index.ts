/**
 * The transport over plain sockets: no third party, TLS and SASL PLAIN/SCRAM included.
 *
 * @module
 */
export { createSocketTransport, type SocketTransportOptions } from './socket-transport.ts';
