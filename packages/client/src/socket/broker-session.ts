import { CancelledError, type Clock } from '@millrace/core';
import type { BrokerFeatures } from '../port/transport.ts';
import { askFeatures } from './api-versions.ts';
import { BrokerConnection } from './broker-connection.ts';
import { type BrokerEndpoint, formatEndpoint } from './broker-endpoint.ts';
import { handshakeExchange } from './handshake-exchange.ts';
import { openSocket } from './open-socket.ts';
import { authenticate } from './sasl-authentication.ts';
import type { ResolvedSocketOptions } from './socket-options.ts';

/** Part of a SASL session's lifetime after which it is renewed; as Kafka's clients do, 85 to 95 %. */
const renewAfter = { share: 0.85, spread: 0.1 };

/** A connection that is through its handshake, and what the broker said in it. */
export class BrokerSession {
  readonly connection: BrokerConnection;
  readonly features: BrokerFeatures;
  readonly #options: ResolvedSocketOptions;
  readonly #clock: Clock;
  #authenticateAtMs = Number.POSITIVE_INFINITY;
  #handshakeAnswers = 0;

  private constructor(connection: BrokerConnection, features: BrokerFeatures, options: ResolvedSocketOptions) {
    this.connection = connection;
    this.features = features;
    this.#options = options;
    this.#clock = options.clock;
  }

  /**
   * Connects, asks for the broker's features and authenticates.
   *
   * @throws RetriableError when the broker can not be reached or ends the connection
   * @throws FatalStreamsError AUTHENTICATION_FAILED, UNSUPPORTED_VERSION
   * @throws CancelledError when the signal aborts
   */
  static async open(endpoint: BrokerEndpoint, options: ResolvedSocketOptions, signal: AbortSignal): Promise<BrokerSession> {
    const socket = await openSocket(endpoint, options, signal);
    const node = formatEndpoint(endpoint);
    const connection = new BrokerConnection(socket, {
      node,
      clientId: Buffer.from(options.clientId, 'utf8'),
      responseBytesMax: options.responseBytesMax,
    });
    const onAbort = (): void => connection.end(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const exchange = handshakeExchange(connection, options.clock, options.connectTimeoutMs);
      // ApiVersions is the one request that a broker answers before authentication.
      const session = new BrokerSession(connection, await askFeatures(exchange, node), options);
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

  /** Whether anything was answered after the handshake. */
  get wasOfUse(): boolean {
    return this.connection.answers > this.#handshakeAnswers;
  }

  /** Whether the broker would end the connection on the next ordinary request (or soon): authenticate first. */
  get needsAuthentication(): boolean {
    return this.#authenticateAtMs !== Number.POSITIVE_INFINITY && this.#clock.monotonicMs() >= this.#authenticateAtMs;
  }

  /** Authenticates, if credentials were given. No other request may be sent until this has settled. */
  async authenticate(): Promise<void> {
    const { sasl, random, connectTimeoutMs } = this.#options;
    if (sasl === undefined) return;
    const startedMs = this.#clock.monotonicMs();
    const exchange = handshakeExchange(this.connection, this.#clock, connectTimeoutMs);
    const lifetimeMs = await authenticate({ exchange, sasl, random, node: this.connection.node });
    const share = renewAfter.share + renewAfter.spread * random.next();
    this.#authenticateAtMs = lifetimeMs > 0 ? startedMs + lifetimeMs * share : Number.POSITIVE_INFINITY;
  }
}
