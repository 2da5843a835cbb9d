import type { SaslOptions, TlsOptions, Transport } from '../port/transport.ts';

/** What the suite asks of a transport when it makes one. */
export interface ContractTransportOptions {
  readonly brokers: readonly string[];
  readonly connectTimeoutMs?: number;
  readonly tls?: TlsOptions;
  readonly sasl?: SaslOptions;
}

/** A transport under test. */
export interface TransportUnderTest {
  createTransport(options: ContractTransportOptions): Transport;
}

/** A cluster of one broker that listens in clear text, started before the first test of a suite. */
export interface PlainEnvironment {
  /** `host:port`. */
  readonly address: string;
  close?(): Promise<void>;
}

/** A broker that listens with TLS and SASL too. */
export interface SecureEnvironment {
  /** TLS without authentication, `host:port`. */
  readonly ssl: string;
  readonly saslPlaintext: string;
  readonly saslSsl: string;
  /** The certificate to trust, PEM. */
  readonly ca: string;
  /** A user that PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 accept. */
  readonly username: string;
  readonly password: string;
  /** `connections.max.reauth.ms` of the broker; 0 when it never asks again. */
  readonly sessionLifetimeMs: number;
  close?(): Promise<void>;
}
