import type { StartOptions } from 'millrace';
import type { Logger } from '@millrace/core';
import type { LogLevel } from '../arguments/raw-options.ts';
import type { RunRequest } from '../arguments/run-request.ts';
import type { Host } from '../host/host.ts';
import { createPinoLogger } from '../log/pino-logger.ts';
import { createTerminalLogger } from '../log/terminal-logger.ts';
import { LiveView } from '../view/live-view.ts';
import { createPalette } from '../view/palette.ts';
import { renderView } from '../view/render-view.ts';
import type { RunMonitor } from '../view/run-monitor.ts';
import { ProgressLog } from './progress-log.ts';

/** How a run shows itself. */
export interface RunOutput {
  readonly logger: Logger;
  /** How a line looks that is written past the logger, see `StartOptions`. */
  readonly stallLines: NonNullable<StartOptions['stallLines']>;
  start(): void;
  stop(): void;
}

/** A live view for a person at a terminal, JSON lines for everything else. */
export function createRunOutput(request: RunRequest, monitor: RunMonitor, host: Host): RunOutput {
  return host.stdout.isTerminal && request.view ? liveOutput(request, monitor, host) : logOutput(request, monitor, host);
}

function liveOutput({ logLevel }: RunRequest, monitor: RunMonitor, host: Host): RunOutput {
  const palette = createPalette(host.env.NO_COLOR === undefined || host.env.NO_COLOR === '');
  const view = new LiveView({
    clock: host.clock,
    screen: host.openScreen(),
    render: () => renderView(monitor.snapshot(), { palette, columns: host.stdout.columns }),
  });
  const logger = createTerminalLogger({ level: logLevel, clock: host.clock, palette, write: (line) => view.persist(line) });
  return { logger, stallLines: warns(logLevel) ? 'text' : 'none', start: () => view.start(), stop: () => view.stop() };
}

function logOutput({ logLevel, start }: RunRequest, monitor: RunMonitor, host: Host): RunOutput {
  const logger = createPinoLogger(logLevel, host.clock, (line) => host.stdout.write(line)).child({
    application: start.applicationId,
  });
  const progress = new ProgressLog(host.clock, logger, monitor);
  return { logger, stallLines: warns(logLevel) ? 'json' : 'none', start: () => progress.start(), stop: () => progress.stop() };
}

function warns(logLevel: LogLevel): boolean {
  return logLevel !== 'error' && logLevel !== 'silent';
}
