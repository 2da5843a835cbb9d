import type { Clock } from '@millrace/core';
import type { BrokerConnection } from './broker-connection.ts';
import { PendingRequest } from './pending-request.ts';

/** A request of the handshake: sent while nobody else uses the connection. */
export interface HandshakeRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly flexible: boolean;
  readonly body: Buffer;
}

/** Sends a request and resolves with the body of its answer. */
export type HandshakeExchange = (request: HandshakeRequest) => Promise<Buffer>;

/** @param timeoutMs for each request; an overdue answer ends the connection */
export function handshakeExchange(connection: BrokerConnection, clock: Clock, timeoutMs: number): HandshakeExchange {
  return (request) => {
    const pending = new PendingRequest({ ...request, lane: 'admin', timeoutMs }, clock, connection);
    connection.send(pending);
    return pending.promise;
  };
}
