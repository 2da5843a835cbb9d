import { CancelledError } from '@millrace/core';
import { askFeatures } from '../lane/api-versions.ts';
import { type BrokerEndpoint, formatEndpoint } from '../lane/broker-endpoint.ts';
import type { BrokerSession } from '../lane/broker-session.ts';
import type { HandshakeRequest } from '../lane/exchange.ts';
import { PendingRequest } from '../lane/pending-request.ts';
import { SessionLifetime } from '../lane/session-lifetime.ts';
import type { ResolvedTransportOptions } from '../lane/transport-options.ts';
import type { BrokerFeatures } from '../port/transport.ts';
import { openSocket } from './open-socket.ts';
import { authenticate } from './sasl-authentication.ts';
import { SocketConnection } from './socket-connection.ts';

export interface SocketSessionOptions extends ResolvedTransportOptions {
  readonly responseBytesMax: number;
}

/** A plain socket that is through its handshake. */
export class SocketSession implements BrokerSession {
  readonly features: BrokerFeatures;
  readonly #connection: SocketConnection;
  readonly #options: SocketSessionOptions;
  readonly #lifetime: SessionLifetime;
  #handshakeAnswers = 0;

  private constructor(connection: SocketConnection, features: BrokerFeatures, options: SocketSessionOptions) {
    this.#connection = connection;
    this.features = features;
    this.#options = options;
    this.#lifetime = new SessionLifetime(options.clock, options.random);
  }

  /** Connects, asks for the broker's features and authenticates; rejects as {@link OpenSession} says. */
  static async open(endpoint: BrokerEndpoint, options: SocketSessionOptions, signal: AbortSignal): Promise<SocketSession> {
    const socket = await openSocket(endpoint, options, signal);
    const connection = new SocketConnection(socket, {
      node: formatEndpoint(endpoint),
      clientId: Buffer.from(options.clientId, 'utf8'),
      responseBytesMax: options.responseBytesMax,
    });
    const onAbort = (): void => connection.end(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) throw new CancelledError();
      // ApiVersions is the one request that a broker answers before authentication.
      const features = await askFeatures((request) => exchange(connection, request, options), connection.node);
      const session = new SocketSession(connection, features, options);
      await session.authenticate();
      session.#handshakeAnswers = connection.answers;
      return session;
    } catch (error) {
      connection.end(new CancelledError());
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  get node(): string {
    return this.#connection.node;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get wasOfUse(): boolean {
    return this.#connection.answers > this.#handshakeAnswers;
  }

  get needsAuthentication(): boolean {
    return this.#lifetime.isOver;
  }

  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  get onEnd(): ((reason: Error) => void) | undefined {
    return this.#connection.onEnd;
  }

  set onEnd(listener: ((reason: Error) => void) | undefined) {
    this.#connection.onEnd = listener;
  }

  send(pending: PendingRequest): void {
    this.#connection.send(pending);
  }

  end(reason: Error): void {
    this.#connection.end(reason);
  }

  async authenticate(): Promise<void> {
    const { sasl, random } = this.#options;
    if (sasl === undefined) return;
    await this.#lifetime.renew(() =>
      authenticate({ exchange: (request) => exchange(this.#connection, request, this.#options), sasl, random, node: this.node }),
    );
  }
}

function exchange(connection: SocketConnection, request: HandshakeRequest, options: SocketSessionOptions): Promise<Buffer> {
  const asked = { ...request, lane: 'admin', timeoutMs: options.connectTimeoutMs } as const;
  const pending = new PendingRequest(asked, options.clock, connection);
  connection.send(pending);
  return pending.promise;
}
