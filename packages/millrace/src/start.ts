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
import { StreamsApplication, type StreamsComponents, type StreamsSettings, type ThreadPlace } from '@millrace/runtime';
import type { StateEngine } from '@millrace/state';
import { levelDbEngine } from '@millrace/state-leveldb';
import type { Topology } from '@millrace/topology';
import { connect, connectionOf, type ConnectionOptions } from './connect.ts';
import { NodeLoopWatcher } from './threads/node-loop-watcher.ts';
import type { StallLineFormat } from './threads/stall-line.ts';

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
  /**
   * How the line looks that a small thread writes to standard error while the event loop stands still (see
   * `eventLoopStallWarningMs`): one JSON object, text for a person, or no line. When the loop goes on, `logger` hears of it too.
   * Default: `json` when there is a logger, else `none`.
   */
  readonly stallLines?: StallLineFormat | 'none';
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
  const application = createApplication(topology, options);
  application.start();
  return application;
}

/**
 * Makes an application with the default parts where no others are given.
 *
 * @param place when it is one thread of several
 * @throws SettingsError, TopologyError
 */
export function createApplication(topology: Topology, options: StartOptions, place?: ThreadPlace): StreamsApplication {
  const { brokers, clientId, tls, sasl, transport, engine, logger, metrics, clock, random, ...others } = options;
  const { stallLines = logger === undefined ? 'none' : 'json', ...rest } = others;
  const { onDeserializationError, onProcessingError, onProductionError, onUncaughtError, ...listenersAndSettings } = rest;
  const { restoreListener, standbyUpdateListener, ...settings } = listenersAndSettings;
  const ports = {
    clock: clock ?? systemClock,
    random: random ?? systemRandom,
    logger: logger ?? silentLogger,
    metrics: metrics ?? new MetricsRegistry(),
  };
  const client = connect({
    ...connectionOf(options),
    ...ports,
    clientId: clientId ?? settings.applicationId,
    requestTimeoutMs: settings.requestTimeoutMs,
  });
  const components: StreamsComponents = {
    ...ports,
    client,
    engine: engine ?? levelDbEngine(),
    onDeserializationError,
    onProcessingError,
    onProductionError,
    restoreListener,
    standbyUpdateListener,
    onUncaughtError,
    loopWatcher: stallLines === 'none' ? undefined : new NodeLoopWatcher(ports.logger, stallLines),
  };
  return new StreamsApplication(topology, settings, components, place);
}
