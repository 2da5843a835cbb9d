import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { assert, systemClock, type LogFields } from '@millrace/core';
import { LoopPulse, logStall, StallWatchdog } from '@millrace/runtime/loop-watch';
import type { LoopWatchData } from './node-loop-watcher.ts';
import { stallLine } from './stall-line.ts';

const STDERR = 2;

/** What the thread does that watches an event loop, until it is told to stop. */
function watch(): void {
  assert(parentPort !== null, 'this file is the entry of a thread');
  const port = parentPort;
  const { applicationId, pulse, stallMs, format } = workerData as LoopWatchData;
  const loop = { pulse: new LoopPulse(pulse) };
  const warn = (message: string, fields: LogFields = {}): void =>
    write(stallLine(format, systemClock.nowMs(), message, { application: applicationId, ...fields }));
  const watchdog = new StallWatchdog({
    clock: systemClock,
    stallMs,
    loops: () => [loop],
    onStall: (stall) => logStall({ warn }, stall),
    onRecovery: (stall) => port.postMessage(stall),
  });
  port.once('message', () => {
    watchdog.stop();
    port.close();
  });
  watchdog.start();
}

/** The streams of `process` go by the main thread, which stands still when this is needed. */
function write(line: string): void {
  try {
    writeSync(STDERR, line);
  } catch {
    // A full or closed pipe: there is nobody else to tell.
  }
}

watch();
