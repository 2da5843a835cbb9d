import { CancelledError } from '@millrace/core';
import type { BrokerFeatures } from '../port/transport.ts';
import { askFeatures } from './api-versions.ts';
import type { BrokerConnection, HandshakeRequest } from './broker-connection.ts';
import { connectionFailed } from './connection-errors.ts';
import { PendingRequest } from './pending-request.ts';
import { SessionLifetime } from './session-lifetime.ts';
import type { ResolvedTransportOptions } from './transport-options.ts';

const noFeatures: BrokerFeatures = { apis: new Map(), finalizedFeatures: new Map() };

/** A connection with its handshake: what the broker offers, and until when it accepts requests. */
export class BrokerSession {
  readonly connection: BrokerConnection;
  readonly #options: ResolvedTransportOptions;
  readonly #lifetime: SessionLifetime;
  #features = noFeatures;
  #handshakeAnswers = 0;

  constructor(connection: BrokerConnection, options: ResolvedTransportOptions) {
    this.connection = connection;
    this.#options = options;
    this.#lifetime = new SessionLifetime(options.clock, options.random);
  }

  get features(): BrokerFeatures {
    return this.#features;
  }

  /** Whether the broker answered anything after the handshake. */
  get wasOfUse(): boolean {
    return this.connection.answers > this.#handshakeAnswers;
  }

  /** Whether to authenticate again before the next request (KIP-368). */
  get needsAuthentication(): boolean {
    return this.#lifetime.isOver;
  }

  /**
   * Asks for the broker's features and authenticates; ends the connection when that fails.
   *
   * @throws FatalStreamsError AUTHENTICATION_FAILED, UNSUPPORTED_VERSION
   * @throws CancelledError when the signal aborts
   */
  async shakeHands(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.connection.end(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) throw new CancelledError();
      // ApiVersions is the one request that a broker answers before authentication.
      this.#features = await askFeatures(this.#exchange, this.connection.node);
      await this.authenticate();
      this.#handshakeAnswers = this.connection.answers;
    } catch (error) {
      this.connection.end(new CancelledError());
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Does nothing when no credentials were given. Ordinary requests wait meanwhile. */
  async authenticate(): Promise<void> {
    if (this.#options.sasl === undefined) return;
    await this.#lifetime.renew(() => this.connection.authenticate(this.#features, this.#exchange));
  }

  readonly #exchange = (request: HandshakeRequest): Promise<Buffer> => {
    // It may have ended between two steps, while a key was derived from the password.
    if (!this.connection.isOpen) return Promise.reject(connectionFailed(this.connection.node, 'the connection ended'));
    const asked = { ...request, lane: 'admin', timeoutMs: this.#options.connectTimeoutMs } as const;
    const pending = new PendingRequest(asked, this.#options.clock, this.connection);
    this.connection.send(pending);
    return pending.promise;
  };
}
