import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CancelledError } from '@millrace/core';
import {
  authenticationFailed,
  type BrokerConnection,
  type BrokerEndpoint,
  type BrokerFeatures,
  connectionLost,
  formatEndpoint,
  type PendingRequest,
  type ResolvedTransportOptions,
  reasonOf,
  requestTimedOut,
  responseBody,
} from '@millrace/client/lane';
import type { KafkajsConnection as Inner, KafkajsInternals, KafkajsLogger } from './kafkajs-internals.ts';
import { openSocket } from './open-socket.ts';
import { requestPayload } from './request-payload.ts';

const noBody = Buffer.alloc(0);
const saslAuthenticateKey = 36;

export interface KafkajsConnectionParts {
  readonly kafkajs: KafkajsInternals;
  readonly log: KafkajsLogger;
  readonly options: ResolvedTransportOptions;
}

/**
 * One connection of kafkajs, used once: when its socket is gone it is not connected again, so that no answer and no request of
 * an earlier socket can turn up in a later one.
 *
 * kafkajs keeps a request whose answer is overdue and matches answers by correlation id; the timeouts are ours, and they end
 * the connection, so that a broker that went silent is not asked for ever.
 */
export class KafkajsConnection implements BrokerConnection {
  readonly node: string;
  readonly closed: Promise<void>;
  onEnd: ((reason: Error) => void) | undefined;
  readonly #options: ResolvedTransportOptions;
  readonly #inner: Inner;
  readonly #inFlight = new Set<PendingRequest>();
  #socket: Socket | undefined;
  #endedBy: Error | undefined;
  #answers = 0;
  #resolveClosed!: () => void;

  constructor(endpoint: BrokerEndpoint, { kafkajs, log, options }: KafkajsConnectionParts) {
    const { sasl, connectTimeoutMs } = options;
    this.node = formatEndpoint(endpoint);
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#inner = new kafkajs.Connection({
      host: endpoint.host,
      port: endpoint.port,
      logger: log,
      socketFactory: ({ onConnect }) => this.#adopt(openSocket(endpoint, options.tls, onConnect)),
      ssl: null,
      sasl: sasl === undefined ? null : { ...sasl },
      clientId: options.clientId,
      connectionTimeout: connectTimeoutMs,
      requestTimeout: connectTimeoutMs,
      enforceRequestTimeout: false,
      reauthenticationThreshold: 0,
    });
    stopIdleTimer(this.#inner);
  }

  get isOpen(): boolean {
    return this.#endedBy === undefined;
  }

  get answers(): number {
    return this.#answers;
  }

  /** Rejects as `OpenConnection` says; the connection has ended then. */
  async connect(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.end(new CancelledError());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) throw new CancelledError();
      await Promise.race([this.#inner.connect(), this.closed]);
      if (this.#endedBy !== undefined) throw this.#endedBy;
    } catch (error) {
      const refusal = (this.#socket as Partial<TLSSocket> | undefined)?.authorizationError;
      const failure = this.#endedBy instanceof CancelledError ? this.#endedBy : error;
      this.end(failure as Error);
      if (refusal == null) throw failure;
      const why = `the broker's certificate is not trusted: ${reasonOf(error)}; pass the authority that signed it as tls.ca`;
      throw authenticationFailed(this.node, why, error);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async authenticate(features: BrokerFeatures): Promise<number> {
    const versions = [...features.apis].map(([key, { min, max }]) => [key, { minVersion: min, maxVersion: max }]);
    this.#inner.setVersions(Object.fromEntries(versions));
    this.#inner.setSupportAuthenticationProtocol(features.apis.has(saslAuthenticateKey));
    this.#inner.authenticatedAt = null;
    const { clock, connectTimeoutMs } = this.#options;
    const cancelTimer = clock.setTimer(connectTimeoutMs, () => {
      this.end(connectionLost(this.node, `not authenticated within ${connectTimeoutMs} ms`));
    });
    try {
      await Promise.race([this.#inner.authenticate(), this.closed]);
    } catch (error) {
      // kafkajs calls everything that happens meanwhile an authentication error, a lost connection too.
      throw this.#endedBy ?? authenticationFailed(this.node, `${reasonOf(error)}; check user, password and mechanism`, error);
    } finally {
      cancelTimer();
    }
    if (this.#endedBy !== undefined) throw this.#endedBy;
    return this.#inner.sessionLifetime.toNumber();
  }

  /**
   * Hands the request to kafkajs. Between this call and the write to the socket lie only microtasks, and no event of the
   * socket comes between those: a request that was handed over while the connection is open has been written.
   */
  send(pending: PendingRequest): void {
    pending.holder = this;
    this.#inFlight.add(pending);
    this.#exchange(pending).then(
      (bytes) => this.#answer(pending, bytes),
      (error: unknown) => this.end(connectionLost(this.node, reasonOf(error), error)),
    );
  }

  timedOut(pending: PendingRequest): void {
    const { apiKey, timeoutMs } = pending.request;
    pending.reject(requestTimedOut(this.node, apiKey, timeoutMs));
    this.end(connectionLost(this.node, 'another request on this connection was not answered in time'));
  }

  end(reason: Error): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = reason;
    // With an error, so that kafkajs gives up what it still waits for.
    if (this.#socket === undefined) this.#resolveClosed();
    else this.#socket.destroy(reason);
    this.#inner.requestQueue.destroy();
    for (const pending of this.#inFlight) pending.reject(reason);
    this.#inFlight.clear();
    this.onEnd?.(reason);
  }

  /** Our listeners come first: when kafkajs hears of the end, this connection is closed already. */
  #adopt(socket: Socket): Socket {
    this.#socket = socket;
    socket.on('end', () => this.end(connectionLost(this.node, 'the broker closed the connection')));
    socket.on('error', (error) => this.end(connectionLost(this.node, reasonOf(error), error)));
    socket.once('close', () => {
      this.end(connectionLost(this.node, 'the connection was closed'));
      this.#resolveClosed();
    });
    return socket;
  }

  #exchange({ request }: PendingRequest): Promise<Buffer> {
    return this.#inner.send({
      request: {
        apiKey: request.apiKey,
        apiVersion: request.apiVersion,
        // The one name whose bodies kafkajs keeps out of its debug log.
        apiName: 'Fetch',
        encode: () => requestPayload(request.body, request.flexible),
        expectResponse: () => request.expectResponse !== false,
      },
      response: { decode: (bytes) => Promise.resolve(bytes), parse: (body) => body },
      logResponseError: false,
    });
  }

  #answer(pending: PendingRequest, bytes: Buffer | undefined): void {
    if (!this.#inFlight.delete(pending)) return;
    try {
      const body = bytes === undefined ? noBody : responseBody(bytes, 0, pending.request);
      this.#answers++;
      pending.resolve(body);
    } catch (error) {
      this.#inFlight.add(pending);
      this.end(connectionLost(this.node, reasonOf(error), error));
    }
  }
}

/**
 * kafkajs re-arms a timer of 1 ms for ever after the first answer, although nothing waits: 3.7 % of a core for an idle
 * connection (tulios/kafkajs#1604). It is only needed while requests are held back, which ours never are.
 */
function stopIdleTimer({ requestQueue }: Inner): void {
  const schedule = requestQueue.scheduleCheckPendingRequests;
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule.call(requestQueue);
  };
}
