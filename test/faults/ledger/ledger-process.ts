import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { MetricsRegistry, systemClock } from '@millrace/core';
import {
  DROPPED_RECORDS,
  logAndContinueDeserialization,
  logAndContinueProcessing,
  type RestoreProgress,
  type StreamsSettings,
  type UncaughtErrorResponse,
} from '@millrace/runtime';
import { levelDbEngine } from '@millrace/state-leveldb';
import { start } from 'millrace';
import type { Ledger } from '../../oracle/ledger/ledger.ts';
import { DyingEngine } from './dying-engine.ts';
import { buildLedger } from './ledger-topology.ts';
import { obedience, RELEASE } from './obedience.ts';
import { RegistrySerde } from './registry-serde.ts';
import { SkewedClock, type SkewedClockOptions } from './skewed-clock.ts';
import { StoreAsker } from './store-asker.ts';
import { report, reportingLogger } from '../../integration/runtime/worker-report.ts';

/**
 * One worker of the ledger as a process of its own. Takes its orders as JSON in the first argument, tells what happens as JSON
 * lines, asks for all that it has on SIGUSR2, lets its clock jump on SIGHUP, stops cleanly on SIGTERM, ends by itself, and with 1
 * when the application fails.
 */
export interface LedgerOrders {
  readonly brokers: string;
  readonly ledger: Ledger;
  readonly settings: StreamsSettings;
  /** Kills itself while its so-many-th batch is written to the local state. */
  readonly dieInWrite?: number;
  /** False: processes records whatever they order. Default true. */
  readonly obeys?: boolean;
  /** Its wall clock is wrong by so much, and from SIGHUP on by more. */
  readonly clock?: SkewedClockOptions;
  /** Goes on behind records that cannot be deserialised or processed. */
  readonly skips?: boolean;
  /** The file of a schema registry, in which entries that name a schema have theirs looked up; it may be away. */
  readonly registry?: string;
  readonly onUncaughtError?: UncaughtErrorResponse;
  /** Most that V8 may keep of objects that live long. Unit MiB. */
  readonly heapMaxMib?: number;
  /** How often it asks itself for one of its stores. Unit ms. Default 500. */
  readonly askIntervalMs?: number;
}

const SAMPLE_INTERVAL_MS = 500;
const ASK_INTERVAL_MS = 500;

const orders = JSON.parse(process.argv[2] ?? '') as LedgerOrders;

process.on('unhandledRejection', (reason) => report('unhandled', { text: String(reason) }));
process.on('uncaughtExceptionMonitor', (error) => report('unhandled', { text: String(error) }));

const { dieInWrite, skips = false, registry, onUncaughtError } = orders;
const releaseFile = join(orders.settings.stateDir ?? '.', RELEASE);
const clock = orders.clock === undefined ? undefined : new SkewedClock(systemClock, orders.clock);
const metrics = new MetricsRegistry();
const topology = buildLedger(orders.ledger, {
  onTask: (change, taskId) => report('task', { change, taskId }),
  entry: registry === undefined ? undefined : new RegistrySerde(registry),
  obey:
    orders.obeys === false
      ? () => undefined
      : obedience(
          (order) => report('obeying', { order }),
          () => existsSync(releaseFile),
        ),
});
const app = await start(topology, {
  ...orders.settings,
  brokers: orders.brokers.split(','),
  logger: reportingLogger,
  metrics,
  restoreListener: {
    onRestoreStart: ({ taskId, store }: RestoreProgress) => report('restoring', { taskId, store }),
    onRestoreEnd: ({ taskId, store, restoredRecords }: RestoreProgress) => report('restored', { taskId, store, restoredRecords }),
  },
  ...(dieInWrite === undefined ? {} : { engine: new DyingEngine(levelDbEngine(), dieInWrite) }),
  ...(clock === undefined ? {} : { clock }),
  ...(skips ? { onDeserializationError: logAndContinueDeserialization(reportingLogger) } : {}),
  ...(skips ? { onProcessingError: logAndContinueProcessing(reportingLogger) } : {}),
  ...(onUncaughtError === undefined ? {} : { onUncaughtError: () => onUncaughtError }),
});
const asker = new StoreAsker({
  app,
  ledger: orders.ledger,
  intervalMs: orders.askIntervalMs ?? ASK_INTERVAL_MS,
  onAnswer: (answer) => report('answer', answer),
  onError: (error) => report('unhandled', { text: `a query failed: ${String(error)}` }),
});
process.on('SIGHUP', () => clock?.jump());
process.on('SIGUSR2', () => void asker.askAll().then(() => report('answered', {})));
const stopped = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => void app.close().then(resolve));
});
report('state', { state: app.state });
app.onStateChange((state) => report('state', { state }));
asker.begin();
const sampler = setInterval(sample, SAMPLE_INTERVAL_MS);
sampler.unref();

function sample(): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  report('sample', {
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    fileDescriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
  });
}

await Promise.race([app.finished, stopped]);
asker.end();
clearInterval(sampler);
const droppedRecords = metrics.samples().reduce((sum, { name, value }) => sum + (name === DROPPED_RECORDS ? value : 0), 0);
// A stop that took too long has been given up: something still runs, and only an exit ends it.
const isStuck = app.state === 'pending-shutdown';
process.exitCode = app.failure === undefined && !isStuck ? 0 : 1;
// Sockets need a turn of the event loop to be gone after they were closed.
await turn();
await turn();
const leftOpen = process
  .getActiveResourcesInfo()
  .filter((name) => name !== 'PipeWrap' && name !== 'TTYWrap' && name !== 'Immediate');
report('ended', { state: app.state, failure: app.failure, droppedRecords, leftOpen: isStuck ? [] : leftOpen });
if (isStuck) process.exit();
