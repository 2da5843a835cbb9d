import { type RunningApplication, start, startThreads } from 'millrace';
import { type BenchOptions, parseOptions } from './options.ts';
import { restoreLog, type Say } from './restore-log.ts';
import { stderrLogger } from './stderr-logger.ts';
import { WORKLOAD_VARIABLE } from './workload-module.ts';
import { buildWorkload } from './workloads/build-workload.ts';

/** How long a leftover may keep the process alive once the application has ended. */
const LINGER_MS = 1000;

const say: Say = (line) => console.log(JSON.stringify(line));

async function run(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env);
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const application = await startApplication(options, elapsedMs);
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

function startApplication(options: BenchOptions, elapsedMs: () => number): Promise<RunningApplication> {
  const { workload, threads } = options;
  const observers = { logger: stderrLogger(options.verbose ? 'info' : 'warn'), restoreListener: restoreLog(say, elapsedMs) };
  if (threads === undefined) return start(buildWorkload(workload), { ...options.start, ...observers });
  process.env[WORKLOAD_VARIABLE] = JSON.stringify(workload);
  const file = import.meta.url.endsWith('.ts') ? './workload-module.ts' : './workload-module.js';
  return startThreads(new URL(file, import.meta.url), { ...options.start, ...observers, threads });
}

process.exitCode = await run().catch((error: unknown) => {
  console.error(error);
  return 1;
});
setTimeout(() => process.exit(), LINGER_MS).unref();
