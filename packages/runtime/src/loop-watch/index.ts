/**
 * Whether event loops turn, seen from another thread: little code, so that such a thread loads no more than that.
 *
 * @module
 */
export { LoopPulse } from './loop-pulse.ts';
export { logRecovery, logStall, type Stall } from './stall.ts';
export { StallWatchdog } from './stall-watchdog.ts';
