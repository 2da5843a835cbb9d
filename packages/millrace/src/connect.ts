import type { Clock, Logger, Metrics, Random } from '@millrace/core';
import { createKafkaClient, type KafkaClient, type SaslOptions, type TlsOptions } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { createKafkajsTransport } from '@millrace/transport-kafkajs';

/** How to reach the cluster. */
export interface ConnectionOptions {
  /** Addresses to begin with, `host:port`. Kafka: `bootstrap.servers`. */
  readonly brokers: readonly string[];
  /** Shown in the brokers' logs and quotas. Default: the application id. */
  readonly clientId?: string;
  readonly tls?: TlsOptions;
  readonly sasl?: SaslOptions;
  /** What carries the bytes. Default `socket` (docs/decisions/0004). */
  readonly transport?: 'kafkajs' | 'socket';
}

interface Connection extends ConnectionOptions {
  readonly clientId: string;
  readonly requestTimeoutMs: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Makes the client for the cluster; it connects when it is first used. */
export function connect({ transport: kind, requestTimeoutMs, metrics, ...parts }: Connection): KafkaClient {
  const transport = kind === 'kafkajs' ? createKafkajsTransport(parts) : createSocketTransport(parts);
  const { clientId, clock, random, logger } = parts;
  const timeout = requestTimeoutMs === undefined ? {} : { requestTimeoutMs };
  return createKafkaClient({ transport, clientId, clock, random, logger, metrics, ...timeout });
}

/** The connection alone out of options that say more. */
export function connectionOf({ brokers, tls, sasl, transport }: ConnectionOptions): ConnectionOptions {
  return {
    brokers,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(transport === undefined ? {} : { transport }),
  };
}
