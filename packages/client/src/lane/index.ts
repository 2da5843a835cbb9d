/**
 * What the transports over connections have in common: addresses, lanes, waiting, back-off, errors. For whoever implements
 * {@link Transport} with another kind of connection.
 *
 * @module
 */
export { askFeatures } from './api-versions.ts';
export { type BrokerEndpoint, formatEndpoint } from './broker-endpoint.ts';
export type { BrokerSession, OpenSession } from './broker-session.ts';
export { authenticationFailed, connectionLost, reasonOf, requestTimedOut } from './connection-errors.ts';
export type { HandshakeExchange, HandshakeRequest } from './exchange.ts';
export type { LaneSettings } from './lane-settings.ts';
export { LaneTransport } from './lane-transport.ts';
export { PendingRequest, type RequestHolder } from './pending-request.ts';
export { responseBody } from './response-body.ts';
export { SessionLifetime } from './session-lifetime.ts';
export { tlsConnectionOptions } from './tls-connection-options.ts';
export { resolveTransportOptions, type ResolvedTransportOptions, type TransportOptions } from './transport-options.ts';
