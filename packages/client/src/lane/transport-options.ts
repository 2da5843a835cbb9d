import { type Clock, type Logger, type Random, SettingsError, silentLogger, systemClock, systemRandom } from '@millrace/core';
import type { SaslOptions, TlsOptions } from '../port/transport.ts';
import { type BrokerEndpoint, parseEndpoints } from './broker-endpoint.ts';

/** Settings and components that every transport over connections takes. */
export interface TransportOptions {
  /** Bootstrap brokers as `host:port`, tried in turn. Kafka: `bootstrap.servers`. */
  readonly brokers: readonly string[];
  /** Shown in the broker's logs and used for its quotas. Kafka: `client.id`. Default `millrace`. */
  readonly clientId?: string;
  /** Default: no TLS. Kafka: `security.protocol`, `ssl.*`. */
  readonly tls?: TlsOptions;
  /** Default: no authentication. Kafka: `sasl.mechanism`, `sasl.jaas.config`. */
  readonly sasl?: SaslOptions;
  /**
   * How long one address may take to connect, and then again until TLS, ApiVersions and SASL are through.
   * Unit ms · range ≥ 1 · default 10 000. Kafka: `socket.connection.setup.timeout.ms`.
   */
  readonly connectTimeoutMs?: number;
  /**
   * Wait before the second attempt to reach a broker; doubles with each failure, ± 20 %.
   * Unit ms · range ≥ 0 · default 50. Kafka: `reconnect.backoff.ms`.
   */
  readonly reconnectBackoffMs?: number;
  /** Longest such wait. Unit ms · range ≥ `reconnectBackoffMs` · default 1 000. Kafka: `reconnect.backoff.max.ms`. */
  readonly reconnectBackoffMaxMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** The same with nothing left open. */
export interface ResolvedTransportOptions {
  readonly bootstrap: readonly BrokerEndpoint[];
  readonly clientId: string;
  readonly tls: TlsOptions | undefined;
  readonly sasl: SaslOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const defaults = {
  clientId: 'millrace',
  connectTimeoutMs: 10_000,
  reconnectBackoffMs: 50,
  reconnectBackoffMaxMs: 1_000,
} as const;

/** Fills in the defaults. @throws SettingsError naming every value that is out of range */
export function resolveTransportOptions(options: TransportOptions): ResolvedTransportOptions {
  const resolved: ResolvedTransportOptions = {
    bootstrap: parseEndpoints(options.brokers),
    clientId: options.clientId ?? defaults.clientId,
    tls: options.tls,
    sasl: options.sasl,
    connectTimeoutMs: options.connectTimeoutMs ?? defaults.connectTimeoutMs,
    reconnectBackoffMs: options.reconnectBackoffMs ?? defaults.reconnectBackoffMs,
    reconnectBackoffMaxMs: options.reconnectBackoffMaxMs ?? defaults.reconnectBackoffMaxMs,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
  };
  const problems = problemsOf(resolved);
  if (problems.length > 0) throw new SettingsError('INVALID_TRANSPORT_OPTIONS', problems.join('; '));
  return resolved;
}

function problemsOf(options: ResolvedTransportOptions): string[] {
  const problems: string[] = [];
  const check = (name: keyof typeof defaults, min: number, max: number): void => {
    const value = options[name];
    if (typeof value === 'number' && value >= min && value <= max) return;
    problems.push(`"${name}" is ${value}, but must lie between ${min} and ${max}`);
  };
  check('connectTimeoutMs', 1, 2_147_483_647);
  check('reconnectBackoffMs', 0, 2_147_483_647);
  check('reconnectBackoffMaxMs', options.reconnectBackoffMs, 2_147_483_647);
  if (Buffer.byteLength(options.clientId) > 32_767) problems.push('"clientId" is longer than 32 767 bytes');
  return problems;
}
