import {
  MetricsRegistry,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Metrics,
  type Random,
} from '@millrace/core';
import { createKafkaClient, type SaslOptions, type TlsOptions, type Transport } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { StreamsApplication, type StreamsComponents, type StreamsSettings } from '@millrace/runtime';
import type { StateEngine } from '@millrace/state';
import { levelDbEngine } from '@millrace/state-leveldb';
import type { Topology } from '@millrace/topology';
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

/** Everything that `start` takes: settings, the connection, and any component that is to be replaced. */
export interface StartOptions
  extends StreamsSettings,
    ConnectionOptions,
    Partial<
      Pick<
        StreamsComponents,
        | 'onDeserializationError'
        | 'onProcessingError'
        | 'onProductionError'
        | 'restoreListener'
        | 'standbyUpdateListener'
        | 'onUncaughtError'
      >
    > {
  /** Default: LevelDB under `stateDir`. */
  readonly engine?: StateEngine;
  /** Default: none. `millrace run` logs for you. */
  readonly logger?: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Starts an application with the default parts: Kafka over the chosen transport, state in LevelDB.
 *
 * Resolves as soon as the worker has been started; `app.running()` waits until it has its tasks.
 *
 * @throws SettingsError, TopologyError before anything runs
 * @example
 * await using app = await start(buildTopology(), { applicationId: 'checkout', brokers: ['localhost:9092'] });
 * await app.finished;
 */
export async function start(topology: Topology, options: StartOptions): Promise<StreamsApplication> {
  const { brokers, clientId, tls, sasl, transport, engine, logger, metrics, clock, random, ...rest } = options;
  const { onDeserializationError, onProcessingError, onProductionError, onUncaughtError, ...listenersAndSettings } = rest;
  const { restoreListener, standbyUpdateListener, ...settings } = listenersAndSettings;
  const ports = {
    clock: clock ?? systemClock,
    random: random ?? systemRandom,
    logger: logger ?? silentLogger,
    metrics: metrics ?? new MetricsRegistry(),
  };
  const client = createKafkaClient({
    ...ports,
    clientId: clientId ?? settings.applicationId,
    transport: createTransport(
      { ...ports, ...connection(options), clientId: clientId ?? settings.applicationId },
      transport ?? 'socket',
    ),
    ...(settings.requestTimeoutMs === undefined ? {} : { requestTimeoutMs: settings.requestTimeoutMs }),
  });
  const application = new StreamsApplication(topology, settings, {
    ...ports,
    client,
    engine: engine ?? levelDbEngine(),
    onDeserializationError,
    onProcessingError,
    onProductionError,
    restoreListener,
    standbyUpdateListener,
    onUncaughtError,
  });
  application.start();
  return application;
}

interface TransportParts {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: TlsOptions;
  readonly sasl?: SaslOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

function connection({ brokers, tls, sasl }: ConnectionOptions): Pick<ConnectionOptions, 'brokers' | 'tls' | 'sasl'> {
  return { brokers, ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }) };
}

function createTransport(parts: TransportParts, kind: 'kafkajs' | 'socket'): Transport {
  return kind === 'socket' ? createSocketTransport(parts) : createKafkajsTransport(parts);
}
