import type { Clock, Logger, Metrics, Random } from '@millrace/core';
import type { KafkaClient } from '@millrace/client';
import type { StateEngine } from '@millrace/state';
import type { DeserializationErrorHandler } from './errors/deserialization-error-handler.ts';
import type { ProcessingErrorHandler } from './errors/processing-error-handler.ts';
import type { ProductionErrorHandler } from './errors/production-error-handler.ts';
import type { LoopWatcher } from './loop-watch/loop-watcher.ts';
import type { RestoreListener } from './restore/restore-listener.ts';
import type { StandbyUpdateListener } from './standby/standby-update-listener.ts';

/** What to do when a worker has failed with an error that nothing else handles. */
export type UncaughtErrorResponse = 'replace-worker' | 'shutdown-client' | 'shutdown-application';

/** Decides about a worker that has failed; may take its time. */
export type UncaughtErrorHandler = (error: unknown) => UncaughtErrorResponse | Promise<UncaughtErrorResponse>;

/**
 * Everything about an application that is not plain data: passed in, so that tests replace what they need to.
 */
export interface StreamsComponents {
  /** Closed by the application when it stops. */
  readonly client: KafkaClient;
  readonly engine: StateEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Default: log and fail. */
  readonly onDeserializationError?: DeserializationErrorHandler | undefined;
  /** Default: log and fail. */
  readonly onProcessingError?: ProcessingErrorHandler | undefined;
  /** Default: retry what passes by itself, else fail. */
  readonly onProductionError?: ProductionErrorHandler | undefined;
  readonly restoreListener?: RestoreListener | undefined;
  readonly standbyUpdateListener?: StandbyUpdateListener | undefined;
  /** Reports when the event loop stands still (`eventLoopStallWarningMs`). Default: nobody does. */
  readonly loopWatcher?: LoopWatcher | undefined;
  /**
   * Decides when a worker fails. Default: `shutdown-client`. `shutdown-application` tells all workers of the application to stop. `replace-worker` starts over from the last commit: a record that
   * always fails then fails for ever.
   */
  readonly onUncaughtError?: UncaughtErrorHandler | undefined;
}
