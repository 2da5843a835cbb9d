import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { Clock } from '@millrace/core';
import type { FromThread, ThreadEvents, ThreadHandle, ThreadHost, ThreadOrders } from '@millrace/runtime';
import type { ConnectionOptions } from '../connect.ts';

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
    const worker = startWorker(module, { workerData: data, name: `millrace-${orders.thread}`, resourceLimits });
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

type WorkerOptions = NonNullable<ConstructorParameters<typeof Worker>[1]>;

/**
 * Before Node 22.18 a loader for TypeScript that the process was started with (`--import tsx`) is not at work in its threads: there
 * it is registered by the thread's first lines.
 */
function startWorker(module: string, options: WorkerOptions): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = isSource ? new URL('./thread-entry.ts', import.meta.url) : new URL('./thread-entry.js', import.meta.url);
  const isTypeScript = isSource || /\.[cm]?tsx?$/.test(module);
  const { features } = process as { readonly features: { readonly typescript?: unknown } };
  if (!isTypeScript || features.typescript) return new Worker(entry, options);
  const code = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(entry.href)})))`;
  return new Worker(code, { ...options, eval: true });
}
