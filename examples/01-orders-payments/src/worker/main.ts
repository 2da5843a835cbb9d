import { MetricsRegistry, systemClock } from '@millrace/core';
import { start } from 'millrace';
import { buildTopology, topicsOf } from '../topology.ts';
import { STOP, type WorkerOrders, type WorkerReport } from './orders.ts';

/** The counter of the runtime; under exactly-once each commit is one transaction. */
const COMMITS = 'millrace_worker_commits_total';
const REPORT_INTERVAL_MS = 200;

const { name, applicationId, brokers, stateDir, topicPrefix } = JSON.parse(process.argv[2] ?? '{}') as WorkerOrders;

// Nobody outlives the process that started it. (Ctrl-C reaches every process of a terminal; only the first one decides.)
process.once('disconnect', () => process.exit(1));
process.on('SIGINT', () => undefined);

const metrics = new MetricsRegistry();
const application = await start(buildTopology(topicsOf(topicPrefix)), {
  applicationId,
  brokers,
  stateDir,
  clientId: name,
  metrics,
  guarantee: 'exactly_once_v2',
  // The least that Kafka allows: so long the others wait for a worker that is silent.
  sessionTimeoutMs: 6000,
  // Orders and payments arrive in separate requests: waiting for the other side keeps them in the order of time.
  maxTaskIdleMs: 5000,
  emitIntervalMs: 100,
});
process.on('message', (message) => {
  if (message === STOP) void application.close();
});
application.onStateChange(report);
reportAgain();

await application.finished;
report();
if (application.failure !== undefined) {
  console.error(application.failure);
  process.exitCode = 1;
}
process.removeAllListeners('disconnect');
process.disconnect();

function reportAgain(): void {
  report();
  systemClock.setTimer(REPORT_INTERVAL_MS, reportAgain);
}

function report(): void {
  const message: WorkerReport = { state: application.state, transactions: metrics.total(COMMITS) };
  if (process.connected) process.send?.(message);
}
