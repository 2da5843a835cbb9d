import type { BrokerFeatures } from '../port/transport.ts';
import type { BrokerEndpoint } from './broker-endpoint.ts';
import type { PendingRequest, RequestHolder } from './pending-request.ts';

/** A request of the handshake, sent while nobody else uses the connection. */
export interface HandshakeRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly flexible: boolean;
  readonly body: Buffer;
}

/** Sends a request on a connection that is being set up and resolves with the body of its answer. */
export type HandshakeExchange = (request: HandshakeRequest) => Promise<Buffer>;

/**
 * One open connection to a broker, TLS included: what an implementation of the transport has to bring; lanes do the rest.
 *
 * It answers requests in the order in which they were sent. It ends once, for good: by {@link end}, by the network, or because
 * an answer was overdue ({@link timedOut}), after which nobody could tell a slow broker from a dead one.
 */
export interface BrokerConnection extends RequestHolder {
  /** `host:port`, for logs and errors. */
  readonly node: string;
  readonly isOpen: boolean;
  /** How many requests were answered. */
  readonly answers: number;
  /** Settles when the socket is closed. */
  readonly closed: Promise<void>;
  /** Called once, as soon as the connection can not be used any more. */
  onEnd: ((reason: Error) => void) | undefined;
  /**
   * Becomes the request's holder and writes it to the network; settles it, by {@link end} at the latest. Called only while the
   * connection is open, so that what was handed over here counts as sent.
   */
  send(pending: PendingRequest): void;
  /**
   * Shows the broker our credentials, for the first time or again. No request is sent until this has settled; earlier ones
   * may still be answered.
   *
   * @returns after how many ms the broker wants to see them again; 0 for never
   * @throws FatalStreamsError AUTHENTICATION_FAILED when the broker refuses them
   */
  authenticate(features: BrokerFeatures, exchange: HandshakeExchange): Promise<number>;
  /** Closes the socket at once; requests in flight reject with `reason`. Does nothing the second time. */
  end(reason: Error): void;
}

/**
 * Opens a connection.
 *
 * It rejects with FatalStreamsError `AUTHENTICATION_FAILED` when the broker's certificate is not trusted, with CancelledError
 * when the signal aborts, and otherwise with any error: the broker can not be reached.
 */
export type OpenConnection = (endpoint: BrokerEndpoint, signal: AbortSignal) => Promise<BrokerConnection>;
