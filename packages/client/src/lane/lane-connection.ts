import { CancelledError } from '@millrace/core';
import type { BrokerFeatures, TransportRequest } from '../port/transport.ts';
import { assertOffered } from './api-versions.ts';
import type { OpenConnection } from './broker-connection.ts';
import type { BrokerEndpoint } from './broker-endpoint.ts';
import { BrokerSession } from './broker-session.ts';
import { connectionFailed, isFatal, reasonOf } from './connection-errors.ts';
import { PendingRequest, type RequestHolder } from './pending-request.ts';
import { ReconnectBackoff } from './reconnect-backoff.ts';
import type { ResolvedTransportOptions } from './transport-options.ts';

export interface LaneTarget {
  /** What logs and errors call it before an address is chosen. */
  readonly name: string;
  /** The addresses to try, in turn. Asked anew for each attempt. */
  endpoints(): readonly BrokerEndpoint[];
}

/**
 * One lane to one broker: a connection that is opened when it is needed and opened again after it was lost.
 *
 * ```
 *   (none) ── send ──▶ opening ──▶ open ⇄ authenticating again
 *     ▲                   │          │
 *     └──── failed ───────┴── lost ──┘          close() from anywhere: closed
 * ```
 * Requests wait here, in the order of the calls, until the connection can take them: what fails while it waits here was
 * certainly not sent.
 */
export class LaneConnection implements RequestHolder {
  readonly #target: LaneTarget;
  readonly #openConnection: OpenConnection;
  readonly #options: ResolvedTransportOptions;
  readonly #backoff: ReconnectBackoff;
  readonly #abort = new AbortController();
  #waiting: PendingRequest[] = [];
  #session: BrokerSession | undefined;
  /** Set while the connection is being opened or authenticated. */
  #preparing: Promise<void> | undefined;

  constructor(target: LaneTarget, openConnection: OpenConnection, options: ResolvedTransportOptions) {
    this.#target = target;
    this.#openConnection = openConnection;
    this.#options = options;
    this.#backoff = new ReconnectBackoff(options, options.clock, options.random);
  }

  send(request: TransportRequest): Promise<Buffer> {
    if (this.#abort.signal.aborted) return Promise.reject(new CancelledError());
    const pending = new PendingRequest(request, this.#options.clock, this);
    const session = this.#session;
    if (session !== undefined && this.#preparing === undefined && !session.needsAuthentication) {
      this.#dispatch(session, pending);
    } else {
      this.#waiting.push(pending);
      void this.#prepare();
    }
    return pending.promise;
  }

  /** What the broker offers, if the connection is open. */
  get features(): BrokerFeatures | undefined {
    return this.#session?.features;
  }

  /** Opens the connection if it is not open and resolves with what the broker offers. */
  async open(): Promise<BrokerFeatures> {
    if (this.#session === undefined) await this.#prepare();
    const features = this.#session?.features;
    if (features === undefined) throw connectionFailed(this.#target.name, 'the connection ended right after it was opened');
    return features;
  }

  timedOut(pending: PendingRequest): void {
    this.#waiting = this.#waiting.filter((one) => one !== pending);
    pending.reject(connectionFailed(this.#target.name, `no connection within ${pending.request.timeoutMs} ms`));
  }

  /**
   * Ends the lane for good and resolves when its socket is closed.
   *
   * @param reason with which requests in flight reject
   * @param reasonForWaiting with which those reject that were not sent yet
   */
  async close(reason: Error, reasonForWaiting = reason): Promise<void> {
    const session = this.#session;
    this.#rejectWaiting(reasonForWaiting);
    session?.connection.end(reason);
    this.#abort.abort();
    await this.#preparing?.catch(() => undefined);
    await session?.connection.closed;
  }

  #dispatch(session: BrokerSession, pending: PendingRequest): void {
    const { apiKey, apiVersion } = pending.request;
    try {
      assertOffered(session.features, apiKey, apiVersion, session.connection.node);
      session.connection.send(pending);
    } catch (error) {
      pending.reject(error as Error);
    }
  }

  #prepare(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.reject(new CancelledError());
    if (this.#preparing === undefined) {
      this.#preparing = this.#openOrAuthenticate().then(
        () => this.#prepared(),
        (error: unknown) => this.#failed(error),
      );
      // The requests that wait learn of a failure themselves.
      this.#preparing.catch(() => undefined);
    }
    return this.#preparing;
  }

  async #openOrAuthenticate(): Promise<void> {
    if (this.#session !== undefined) await this.#session.authenticate();
    else this.#adopt(await this.#reachBroker());
  }

  #prepared(): void {
    this.#preparing = undefined;
    const session = this.#session;
    // The connection may have been lost in the very moment in which it was ready.
    if (session === undefined) {
      if (this.#waiting.length > 0) void this.#prepare();
      return;
    }
    for (const pending of this.#takeWaiting()) this.#dispatch(session, pending);
  }

  #failed(error: unknown): never {
    this.#preparing = undefined;
    const reason = this.#reasonOfFailure(error);
    this.#session?.connection.end(reason);
    this.#rejectWaiting(reason);
    throw reason;
  }

  #reasonOfFailure(error: unknown): Error {
    if (error instanceof CancelledError) return error;
    this.#backoff.failed();
    this.#options.logger.warn('broker connection failed', { broker: this.#target.name, error });
    return isFatal(error) ? error : connectionFailed(this.#target.name, reasonOf(error), error);
  }

  async #reachBroker(): Promise<BrokerSession> {
    const { signal } = this.#abort;
    const waitMs = this.#backoff.remainingMs();
    if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal);
    const reasons: unknown[] = [];
    for (const endpoint of this.#target.endpoints()) {
      try {
        const session = new BrokerSession(await this.#openConnection(endpoint, signal), this.#options);
        await session.shakeHands(signal);
        return session;
      } catch (error) {
        if (isFatal(error) || error instanceof CancelledError) throw error;
        reasons.push(error);
      }
    }
    throw reasons.length === 1 ? reasons[0] : new AggregateError(reasons);
  }

  #adopt(session: BrokerSession): void {
    const { connection } = session;
    if (!connection.isOpen) throw connectionFailed(connection.node, 'the connection ended right after it was opened');
    this.#session = session;
    this.#options.logger.debug('broker connection opened', { broker: connection.node });
    connection.onEnd = (reason) => {
      this.#session = undefined;
      // A broker that takes connections but answers nothing on them is as good as one that refuses them.
      if (session.wasOfUse) this.#backoff.succeeded();
      else this.#backoff.failed();
      this.#options.logger.debug('broker connection ended', { broker: connection.node, error: reason });
    };
  }

  #rejectWaiting(reason: Error): void {
    for (const pending of this.#takeWaiting()) pending.reject(reason);
  }

  #takeWaiting(): PendingRequest[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
