import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { CancelledError, type Clock } from '@millrace/core';
import { type BrokerEndpoint, formatEndpoint } from '../lane/broker-endpoint.ts';
import { authenticationFailed, isFatal, reasonOf } from '../lane/connection-errors.ts';
import { tlsConnectionOptions } from '../lane/tls-connection-options.ts';
import type { TlsOptions } from '../port/transport.ts';

export interface OpenSocketOptions {
  readonly tls: TlsOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Opens a connection to a broker: each address of its name in turn, then TLS if asked for.
 *
 * @throws Error naming each address and why it failed
 * @throws FatalStreamsError AUTHENTICATION_FAILED when the broker's certificate is not trusted
 * @throws CancelledError when the signal aborts
 */
export async function openSocket(endpoint: BrokerEndpoint, options: OpenSocketOptions, signal: AbortSignal): Promise<Socket> {
  const reasons: string[] = [];
  let cause: unknown;
  for (const address of await addressesOf(endpoint)) {
    if (signal.aborted) throw new CancelledError();
    try {
      return await openAddress(endpoint, address, options, signal);
    } catch (error) {
      if (isFatal(error) || error instanceof CancelledError) throw error;
      reasons.push(`${formatEndpoint({ host: address, port: endpoint.port })}: ${reasonOf(error)}`);
      cause = error;
    }
  }
  throw new Error(reasons.join('; '), { cause });
}

async function addressesOf(endpoint: BrokerEndpoint): Promise<string[]> {
  if (isIP(endpoint.host) !== 0) return [endpoint.host];
  try {
    return (await lookup(endpoint.host, { all: true })).map((one) => one.address);
  } catch (error) {
    throw new Error(`the name ${endpoint.host} can not be resolved: ${reasonOf(error)}`, { cause: error });
  }
}

function openAddress(
  endpoint: BrokerEndpoint,
  address: string,
  options: OpenSocketOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const { tls } = options;
  const target = { host: address, port: endpoint.port, noDelay: true, keepAlive: true };
  const socket = tls === undefined ? connect(target) : connectTls({ ...target, ...tlsConnectionOptions(endpoint.host, tls) });
  return new Promise((resolve, reject) => {
    const cancelTimer = options.clock.setTimer(options.connectTimeoutMs, () => {
      socket.destroy(new Error(`no connection within ${options.connectTimeoutMs} ms`));
    });
    const onAbort = (): void => void socket.destroy(new CancelledError());
    const onError = (error: Error): void => settle(() => reject(connectError(endpoint, socket, error)));
    const onClose = (): void => settle(() => reject(new Error('the broker closed the connection')));
    const onOpen = (): void => settle(() => resolve(socket));
    function settle(done: () => void): void {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('close', onClose).off(openEvent, onOpen);
      // Errors that come after the outcome have no listener of their own yet.
      socket.on('error', () => undefined);
      done();
    }
    const openEvent = tls === undefined ? 'connect' : 'secureConnect';
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError).on('close', onClose).on(openEvent, onOpen);
  });
}

function connectError(endpoint: BrokerEndpoint, socket: Socket, error: Error): Error {
  const refusal = (socket as Partial<TLSSocket>).authorizationError;
  if (refusal == null) return error;
  return authenticationFailed(
    formatEndpoint(endpoint),
    `the broker's certificate is not trusted: ${error.message}; pass the authority that signed it as tls.ca`,
    error,
  );
}
