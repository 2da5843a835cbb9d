import type { BrokerFeatures } from '../port/transport.ts';
import type { BrokerEndpoint } from './broker-endpoint.ts';
import type { PendingRequest } from './pending-request.ts';

/**
 * One connection to a broker that is through its handshake: connected, features asked for, authenticated. What an
 * implementation of the transport has to bring; lanes do the rest.
 *
 * A session answers requests in the order in which they were sent. It ends once, for good: by {@link end}, by the network, or
 * because an answer was overdue, after which a late answer could not be told from the next one.
 */
export interface BrokerSession {
  /** `host:port`, for logs and errors. */
  readonly node: string;
  readonly features: BrokerFeatures;
  readonly isOpen: boolean;
  /** Whether it answered anything after the handshake. */
  readonly wasOfUse: boolean;
  /** Whether the broker wants to see the credentials again before the next request (KIP-368). */
  readonly needsAuthentication: boolean;
  /** Settles when the socket is closed. */
  readonly closed: Promise<void>;
  /** Called once, as soon as the session can not be used any more. */
  onEnd: ((reason: Error) => void) | undefined;
  /** Becomes the request's holder and hands it to the network; settles it by {@link end} at the latest. Only while open. */
  send(pending: PendingRequest): void;
  /** Authenticates again. No request is sent until this has settled; those in flight may still be answered. */
  authenticate(): Promise<void>;
  /** Closes the connection at once; requests in flight reject with `reason`. Does nothing the second time. */
  end(reason: Error): void;
}

/**
 * Opens a session.
 *
 * It rejects with FatalStreamsError `AUTHENTICATION_FAILED` or `UNSUPPORTED_VERSION` when trying again can not help, with
 * CancelledError when the signal aborts, and otherwise with any error: the broker can not be reached.
 */
export type OpenSession = (endpoint: BrokerEndpoint, signal: AbortSignal) => Promise<BrokerSession>;
