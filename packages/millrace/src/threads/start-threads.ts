import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Logger, type Metrics, MetricsRegistry, silentLogger, systemClock, systemRandom } from '@millrace/core';
import { ThreadedApplication, type StreamsComponents, type StreamsSettings, type UncaughtErrorHandler } from '@millrace/runtime';
import type { ConnectionOptions } from '../connect.ts';
import { componentsOf, topologyOf } from '../module/application-module.ts';
import { NodeThreadHost } from './node-thread-host.ts';
import { threadCount } from './thread-count.ts';

/**
 * Everything that `startThreads` takes. Settings and connection are copied to the threads; logger, metrics, listeners and
 * `onUncaughtError` stay on the main thread and hear of all threads there. Error handlers and the state engine come from the
 * module's export `components`.
 */
export interface StartThreadsOptions
  extends StreamsSettings,
    ConnectionOptions,
    Partial<Pick<StreamsComponents, 'restoreListener' | 'standbyUpdateListener'>> {
  /** Range 1–1 024; `auto`: as many as there are processors for this process. Kafka: `num.stream.threads` (1 there). */
  readonly threads: number | 'auto';
  /**
   * Most that the JavaScript heap of one thread may hold in long-lived objects; a thread that needs more dies, the others go on.
   * Unit MiB · default: Node's own.
   */
  readonly threadHeapMegabytes?: number;
  /** Default: none. Lines of a thread carry the field `thread`. */
  readonly logger?: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Metrics;
  /** Decides when a thread fails or dies. Default: that of the module's `components`, else `shutdown-client`. */
  readonly onUncaughtError?: UncaughtErrorHandler | undefined;
}

/**
 * Starts an application with several threads. Each loads the module, builds its topology, and has connections, a membership of the
 * group and a loop of its own; caches and other memory are divided among them.
 *
 * @param module URL, or path from the working directory, of a module that exports `buildTopology()`, or a topology (or a function
 * that makes one) as its default; and `components`, if the application has error handlers or an engine of its own: an object, or a
 * function `({ logger }) => object`. It is loaded on the main thread too, to find what is wrong before anything runs
 * @throws SettingsError, TopologyError, and whatever loading the module throws, before anything runs
 * @example
 * await using app = await startThreads(new URL('./topology.js', import.meta.url), {
 *   applicationId: 'checkout',
 *   brokers: ['localhost:9092'],
 *   threads: 'auto',
 * });
 * await app.finished;
 */
export async function startThreads(module: string | URL, options: StartThreadsOptions): Promise<ThreadedApplication> {
  const { threads, threadHeapMegabytes, logger = silentLogger, metrics, onUncaughtError, ...rest } = options;
  const { brokers, clientId, tls, sasl, transport, restoreListener, standbyUpdateListener, ...settings } = rest;
  const connection = Object.fromEntries(
    Object.entries({ brokers, clientId, tls, sasl, transport }).filter(([, value]) => value !== undefined),
  ) as unknown as ConnectionOptions;
  const url = urlOf(module);
  const exports = (await import(url)) as Readonly<{ [name: string]: unknown }>;
  await topologyOf(exports, url);
  const components = await componentsOf(exports, logger);
  const application = new ThreadedApplication(settings, {
    host: new NodeThreadHost({
      module: url,
      connection,
      clock: systemClock,
      resourceLimits: threadHeapMegabytes === undefined ? {} : { maxOldGenerationSizeMb: threadHeapMegabytes },
    }),
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics: metrics ?? new MetricsRegistry(),
    restoreListener,
    standbyUpdateListener,
    onUncaughtError: onUncaughtError ?? components.onUncaughtError,
  });
  application.start(threadCount(threads));
  return application;
}

function urlOf(module: string | URL): string {
  if (module instanceof URL) return module.href;
  return module.startsWith('file:') ? module : pathToFileURL(resolve(module)).href;
}
