import type { SaslOptions } from '@millrace/client';
import { MetricsRegistry } from '@millrace/core';
import {
  DROPPED_RECORDS,
  logAndContinueDeserialization,
  type StreamsSettings,
  type UncaughtErrorResponse,
  type RestoreProgress,
  type StandbyProgress,
} from '@millrace/runtime';
import { levelDbEngine } from '@millrace/state-leveldb';
import { start, startThreads } from 'millrace';
import { type AskingOrders, keepAsking } from './asking.ts';
import { buildTopology, type TopologyName } from './topologies.ts';
import { report, reportingLogger } from './worker-report.ts';

/**
 * One worker as a process of its own, for tests that kill, stop and starve it. Takes its orders as JSON in the first argument,
 * tells what happens as JSON lines, stops cleanly on SIGTERM, and ends with 1 when the application fails.
 */
export interface WorkerOrders {
  readonly brokers: string;
  readonly sasl?: SaslOptions;
  readonly transport?: 'socket' | 'kafkajs';
  readonly topology: TopologyName;
  readonly prefix: string;
  readonly settings: StreamsSettings;
  /** So many threads, which run `threads-module.ts`, or `stamping-module.ts` for that topology. SIGUSR2 adds one, SIGHUP removes one. */
  readonly threads?: number;
  readonly skipUnreadable?: boolean;
  /** Of LevelDB: when it is small, a little state already makes LevelDB write tables. */
  readonly writeBufferBytes?: number;
  /** The command that runs the process, such as strace with its options. */
  readonly through?: readonly string[];
  readonly onUncaughtError?: UncaughtErrorResponse;
  /** Has the worker ask its stamps. */
  readonly asks?: AskingOrders;
}

const orders = JSON.parse(process.argv[2] ?? '') as WorkerOrders;

const metrics = new MetricsRegistry();
const { sasl, transport, onUncaughtError, writeBufferBytes } = orders;
const options = {
  ...orders.settings,
  brokers: [orders.brokers],
  ...(sasl === undefined ? {} : { sasl }),
  ...(transport === undefined ? {} : { transport }),
  logger: reportingLogger,
  metrics,
  restoreListener: {
    onRestoreStart: ({ taskId, store, startOffset, endOffset }: RestoreProgress) =>
      report('restoring', { taskId, store, startOffset, endOffset }),
    onRestoreEnd: ({ taskId, store, restoredRecords }: RestoreProgress) => report('restored', { taskId, store, restoredRecords }),
  },
  standbyUpdateListener: {
    onBatchLoaded: ({ taskId, store, currentOffset }: StandbyProgress) => report('standby', { taskId, store, currentOffset }),
  },
  ...(writeBufferBytes === undefined ? {} : { engine: levelDbEngine({ writeBufferBytes }) }),
  ...(onUncaughtError === undefined ? {} : { onUncaughtError: () => onUncaughtError }),
};

async function startOne(): ReturnType<typeof start> {
  const topology = buildTopology(orders.topology, orders.prefix, (change, taskId) => report('task', { change, taskId }));
  const skips = orders.skipUnreadable === true ? { onDeserializationError: logAndContinueDeserialization(reportingLogger) } : {};
  return start(topology, { ...options, ...skips });
}

async function startSeveral(threads: number): ReturnType<typeof startThreads> {
  process.env.TEST_PREFIX = orders.prefix;
  const module =
    orders.topology === 'stamping'
      ? new URL('./stamping-module.ts', import.meta.url)
      : new URL('./threads-module.ts', import.meta.url);
  const several = await startThreads(module, { ...options, threads });
  process.on('SIGUSR2', () => report('thread', { added: several.addThread() }));
  process.on('SIGHUP', () => void several.removeThread().then((removed) => report('thread', { removed })));
  return several;
}

const app = orders.threads === undefined ? await startOne() : await startSeveral(orders.threads);
app.onStateChange((state) => report('state', { state }));
process.once('SIGTERM', () => void app.close());
// After which it may be told to stop.
report('state', { state: app.state });
if (orders.asks !== undefined) await keepAsking(app, orders.asks);
await app.finished;
const dropped = metrics.samples().reduce((sum, { name, value }) => sum + (name === DROPPED_RECORDS ? value : 0), 0);
report('ended', { state: app.state, failure: app.failure, dropped });
process.exitCode = app.failure === undefined ? 0 : 1;
