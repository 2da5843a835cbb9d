import { start } from 'millrace';
import { parseOptions } from './options.ts';
import { restoreLog, type Say } from './restore-log.ts';
import { stderrLogger } from './stderr-logger.ts';
import { buildWorkload } from './workloads/build-workload.ts';

/** How long a leftover may keep the process alive once the application has ended. */
const LINGER_MS = 1000;

const say: Say = (line) => console.log(JSON.stringify(line));

async function run(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env);
  const topology = buildWorkload(options.workload);
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const application = await start(topology, {
    ...options.start,
    logger: stderrLogger(options.verbose ? 'info' : 'warn'),
    restoreListener: restoreLog(say, elapsedMs),
  });
  // The kit's reference says the states in Kafka Streams' words, and so do we: run.mjs waits for RUNNING.
  const sayState = (state: string): void =>
    say({ state: state.toUpperCase().replaceAll('-', '_'), afterMs: Math.round(elapsedMs()) });
  sayState(application.state);
  application.onStateChange(sayState);
  // A stop that takes too long ends before the application does.
  const gaveUp = new Promise<false>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => void application.close().then(() => resolve(false)));
    }
  });
  const stopped = await Promise.race([application.finished.then(() => true), gaveUp]);
  if (stopped && application.failure === undefined) return 0;
  console.error(application.failure ?? 'the application did not stop in time');
  return 1;
}

process.exitCode = await run().catch((error: unknown) => {
  console.error(error);
  return 1;
});
setTimeout(() => process.exit(), LINGER_MS).unref();
