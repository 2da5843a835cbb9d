/**
 * A connection of its own for each kind of traffic: a broker answers one request per connection at a time, so a waiting
 * JoinGroup or long-polling Fetch must not stand in front of anything else.
 */
export type Lane = 'group' | 'data' | 'fetch' | 'restore' | 'global' | 'admin';

/** A broker as the cluster's metadata names it; `'any'` is one of the bootstrap brokers. */
export type BrokerTarget = number | 'any';

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export interface TransportRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Everything behind the request header; for flexible versions the header's tag section is the implementation's business. */
  readonly body: Buffer;
  readonly flexible: boolean;
  readonly lane: Lane;
  /** Gives up after this many ms; what the broker did is then unknown. */
  readonly timeoutMs: number;
  /** True for Produce with acks 0. */
  readonly expectResponse?: boolean;
}

/** Version range that a broker offers for an API. */
export interface ApiRange {
  readonly min: number;
  readonly max: number;
}

/** What a broker said about itself in ApiVersions. */
export interface BrokerFeatures {
  readonly apis: ReadonlyMap<number, ApiRange>;
  /** Finalized features by name, e.g. `transaction.version` → 2. */
  readonly finalizedFeatures: ReadonlyMap<string, number>;
}

/**
 * Carries requests to brokers and answers back. Two implementations: over kafkajs's connections
 * (`@millrace/transport-kafkajs`) and over plain sockets (`@millrace/client/socket`); both pass `@millrace/client/contract`.
 *
 * Requests on one lane to one broker are sent in the order of the calls and answered in that order.
 * Errors: RetriableError `CONNECTION_FAILED` when the request was certainly not sent; RetriableError `CONNECTION_LOST` or
 * `REQUEST_TIMEOUT` when it may have been executed; FatalStreamsError `AUTHENTICATION_FAILED`, `UNSUPPORTED_VERSION`.
 */
export interface Transport {
  readonly name: string;
  /**
   * Sends and resolves with the response body behind the correlation id and, for flexible versions, behind the response
   * header's tag section. The returned bytes are the caller's. The body may be reused once this has settled.
   */
  send(broker: BrokerTarget, request: TransportRequest): Promise<Buffer>;
  /** ApiVersions of a broker, asked once per connection. */
  features(broker: BrokerTarget): Promise<BrokerFeatures>;
  /** Tells the addresses of brokers by node id, as metadata responses bring them. */
  updateBrokers(brokers: readonly BrokerAddress[]): void;
  /** Ends all connections; requests in flight reject with CancelledError. Idempotent. */
  close(): Promise<void>;
}

/** SASL credentials. */
export type SaslOptions = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
};

/** TLS settings, as `node:tls` takes them; `true` uses the system's trust store. */
export type TlsOptions =
  | true
  | {
      readonly ca?: string | Buffer | readonly (string | Buffer)[];
      readonly cert?: string | Buffer;
      readonly key?: string | Buffer;
      readonly servername?: string;
      readonly rejectUnauthorized?: boolean;
    };
