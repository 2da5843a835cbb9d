import { componentsOf, type RunningApplication, start, startThreads } from 'millrace';
import { type Cancel, MetricsRegistry } from '@millrace/core';
import type { RunRequest } from '../arguments/run-request.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host/host.ts';
import { loadModule } from '../module/load-topology.ts';
import { RunMonitor } from '../view/run-monitor.ts';
import { loggedRestore } from './restore-log.ts';
import { createRunOutput, type RunOutput } from './run-output.ts';
import { stopOnSignal } from './stop-on-signal.ts';

/**
 * `millrace run`: starts a worker and stays with it until it ends, by a signal or by a failure.
 *
 * @returns the exit code
 * @throws SettingsError, UsageError, and whatever the module throws, before anything runs
 */
export async function runCommand(request: RunRequest, host: Host): Promise<number> {
  const { url, exports, topology } = await loadModule(request.module, host);
  const { applicationId, brokers } = request.start;
  const metrics = new MetricsRegistry();
  const monitor = new RunMonitor({ applicationId, brokers, clock: host.clock, metrics });
  const output = createRunOutput(request, monitor, host);
  const { logger, stallLines } = output;
  const observers = { logger, metrics, restoreListener: loggedRestore(monitor.board, logger) };
  const application =
    request.threads === undefined
      ? await start(topology, { ...(await componentsOf(exports, logger)), ...request.start, ...observers, stallLines })
      : await startThreads(url, { ...request.start, ...observers, threads: request.threads });
  return stayWith(application, monitor, output, host);
}

async function stayWith(application: RunningApplication, monitor: RunMonitor, output: RunOutput, host: Host): Promise<number> {
  const { logger } = output;
  monitor.onSettings(application.settings);
  monitor.onStateChange(application.state);
  application.onStateChange((now, before) => {
    monitor.onStateChange(now);
    logger.info(`state ${now}`, { before });
  });
  let ended = false;
  let release: Cancel = () => undefined;
  // A stop that takes too long ends before the application does.
  const gaveUp = new Promise<void>((resolve) => {
    release = stopOnSignal(host, (signal) => {
      logger.info(`${signal}: stopping; again to stop at once`);
      void application.close().then(resolve);
    });
  });
  output.start();
  await Promise.race([application.finished.then(() => (ended = true)), gaveUp]);
  release();
  output.stop();
  if (ended && application.failure === undefined) return exitCodes.clean;
  if (application.failure !== undefined) logger.error('the application failed', { error: application.failure });
  return exitCodes.failure;
}
