import type { WorkerOptions } from 'node:worker_threads';
import type { Cancel, Logger } from '@millrace/core';
import type { LoopWatcher, LoopWatchOrders } from '@millrace/runtime';
import { logRecovery, type Stall } from '@millrace/runtime/loop-watch';
import { isSource, startWorker } from './start-worker.ts';
import type { StallLineFormat } from './stall-line.ts';

/** What the thread that watches is started with. */
export interface LoopWatchData extends LoopWatchOrders {
  readonly format: StallLineFormat;
}

/** All that the thread needs; what the process preloads (`--import`), and its environment, are not for it. */
const LEAN: WorkerOptions = {
  execArgv: [],
  env: {},
  resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
};

/**
 * Watches the loop from a small thread, which writes to standard error while the loop stands still; when the loop goes on, the
 * logger hears how long it was. The thread holds up neither the process nor its end.
 */
export class NodeLoopWatcher implements LoopWatcher {
  readonly #logger: Logger;
  readonly #format: StallLineFormat;

  constructor(logger: Logger, format: StallLineFormat) {
    this.#logger = logger;
    this.#format = format;
  }

  watch(orders: LoopWatchOrders): Cancel {
    const workerData: LoopWatchData = { ...orders, format: this.#format };
    const entry = isSource
      ? new URL('./loop-watch-entry.ts', import.meta.url)
      : new URL('./loop-watch-entry.js', import.meta.url);
    const options = { workerData, name: 'millrace-loop-watch', ...(isSource ? {} : LEAN) };
    const worker = startWorker(entry, isSource, options);
    worker.on('message', (stall: Stall) => logRecovery(this.#logger, stall));
    worker.on('error', (error) =>
      this.#logger.warn('the thread that watches the event loop has failed: stalls are not reported', { error }),
    );
    worker.unref();
    return () => worker.postMessage('stop');
  }
}
