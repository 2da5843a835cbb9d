import type { ResourceLimits } from 'node:worker_threads';
import type { Clock } from '@millrace/core';
import type { FromThread, ThreadEvents, ThreadHandle, ThreadHost, ThreadOrders } from '@millrace/runtime';
import type { ConnectionOptions } from '../connect.ts';
import { isSource, startWorker } from './start-worker.ts';

/** How long a thread may take to go after its last message. */
const LINGER_MS = 1000;

/** What a thread of Node is started with. */
export interface ThreadData {
  /** URL of the module with the topology. */
  readonly module: string;
  readonly connection: ConnectionOptions;
  readonly orders: ThreadOrders;
}

export interface NodeThreadHostOptions extends Omit<ThreadData, 'orders'> {
  readonly clock: Clock;
  readonly resourceLimits: ResourceLimits;
}

/** Threads of Node, which load the module and its topology each. */
export class NodeThreadHost implements ThreadHost {
  readonly #options: NodeThreadHostOptions;

  constructor(options: NodeThreadHostOptions) {
    this.#options = options;
  }

  start(orders: ThreadOrders, { onMessage, onExit }: ThreadEvents): ThreadHandle {
    const { module, connection, clock, resourceLimits } = this.#options;
    const data: ThreadData = { module, connection, orders };
    const isTypeScript = isSource || /\.[cm]?tsx?$/.test(module);
    const worker = startWorker(entry(), isTypeScript, { workerData: data, name: `millrace-${orders.thread}`, resourceLimits });
    let failure: unknown;
    worker.on('message', (message: FromThread) => {
      onMessage(message);
      // What the application has left open, a server or a timer, must not hold the thread.
      if (message.kind === 'ended') clock.setTimer(LINGER_MS, () => void worker.terminate());
    });
    worker.on('error', (error) => {
      failure = error;
    });
    worker.once('exit', (code) => onExit(failure, code));
    return { post: (message) => worker.postMessage(message), terminate: () => void worker.terminate() };
  }
}

/** The thread's first lines. */
function entry(): URL {
  return isSource ? new URL('./thread-entry.ts', import.meta.url) : new URL('./thread-entry.js', import.meta.url);
}
