import { CancelledError, StreamsError, systemClock } from '@millrace/core';
import { createDisplay } from './demo/display.ts';
import { readOptions } from './demo/options.ts';
import { runDemo } from './demo/run-demo.ts';
import { StartError } from './demo/start-error.ts';

/** Of the process: everything right, something wrong, the command line is wrong, stopped by a signal. */
const EXIT = { right: 0, wrong: 1, usage: 2, interrupted: 130 } as const;

/** npm passes on the signal that the terminal has sent already: only what comes later than this is a second wish. */
const SAME_WISH_MS = 500;

const stop = new AbortController();
let stopAskedMs = Number.POSITIVE_INFINITY;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    const nowMs = systemClock.monotonicMs();
    // Who asks twice does not want to wait: workers end by themselves when this process is gone.
    if (nowMs - stopAskedMs > SAME_WISH_MS) process.exit(EXIT.interrupted);
    stopAskedMs = Math.min(stopAskedMs, nowMs);
    stop.abort();
  });
}
// The reader of a pipe may go away at any time (`npm start | head`).
process.stdout.on('error', () => stop.abort());

process.exitCode = await main();

async function main(): Promise<number> {
  const display = createDisplay(process.stdout, process.env);
  try {
    const options = readOptions(process.argv.slice(2), process.env);
    return (await runDemo(options, display, stop.signal)) ? EXIT.right : EXIT.wrong;
  } catch (error) {
    display.close();
    if (stop.signal.aborted && error instanceof CancelledError) return EXIT.interrupted;
    console.error(`error: ${explain(error)}`);
    return isUsage(error) ? EXIT.usage : EXIT.wrong;
  } finally {
    display.close();
  }
}

/** Errors that say what to do speak for themselves; of all others one wants to know where they come from. */
function explain(error: unknown): string {
  if (error instanceof StreamsError || error instanceof StartError || isUsage(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isUsage(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
