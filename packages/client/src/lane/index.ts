/**
 * What the transports over connections have in common: addresses, lanes, waiting, back-off, errors. For whoever implements
 * {@link Transport} with another kind of connection.
 *
 * @module
 */
export type { BrokerFeatures, TlsOptions, Transport } from '../port/transport.ts';
export type { BrokerConnection, HandshakeExchange, HandshakeRequest, OpenConnection } from './broker-connection.ts';
export { type BrokerEndpoint, formatEndpoint } from './broker-endpoint.ts';
export { authenticationFailed, connectionLost, reasonOf, requestTimedOut } from './connection-errors.ts';
export { LaneTransport } from './lane-transport.ts';
export type { PendingRequest, RequestHolder } from './pending-request.ts';
export { responseBody } from './response-body.ts';
export { tlsConnectionOptions } from './tls-connection-options.ts';
export { type ResolvedTransportOptions, resolveTransportOptions, type TransportOptions } from './transport-options.ts';
