import { parentPort, workerData } from 'node:worker_threads';
import { assert, systemClock } from '@millrace/core';
import { type FromThread, placeOf, ThreadSide, type ToThread } from '@millrace/runtime';
import { createApplication } from '../start.ts';
import { componentsOf, topologyOf } from '../module/application-module.ts';
import type { ThreadData } from './node-thread-host.ts';

/** What a thread of an application does, from its first moment to its last: loads the module, runs its topology, ends. */
async function runThread(): Promise<void> {
  assert(parentPort !== null, 'this file is the entry of a thread');
  const port = parentPort;
  const { module, connection, orders } = workerData as ThreadData;
  const side = new ThreadSide({
    post: (message: FromThread) => port.postMessage(message),
    listen: (listener) => void port.on('message', (message: ToThread) => listener(message)),
  });
  try {
    const place = placeOf(orders, systemClock);
    const exports = (await import(module)) as Readonly<{ [name: string]: unknown }>;
    const { onUncaughtError: _decidedOnMain, ...components } = await componentsOf(exports, side.logger);
    const application = createApplication(
      await topologyOf(exports, module),
      {
        ...orders.settings,
        ...connection,
        clientId: `${connection.clientId ?? orders.settings.applicationId}-${orders.thread}`,
        ...components,
        logger: side.logger,
        metrics: side.metrics,
        restoreListener: side.restoreListener,
        standbyUpdateListener: side.standbyUpdateListener,
        onUncaughtError: (error) => side.onUncaughtError(error),
      },
      place,
    );
    await side.run(application, systemClock);
  } catch (error) {
    side.fail(error);
  }
  // Nothing else should keep the thread alive.
  port.close();
}

await runThread();
