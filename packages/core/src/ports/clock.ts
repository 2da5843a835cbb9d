/** Cancels what it was returned for; calling it again does nothing. */
export type Cancel = () => void;

/**
 * The one source of time and of timers.
 *
 * Tests pass a clock that they move; nothing but an implementation of this port reads the system's time.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. */
  nowMs(): number;
  /** A time that never goes back, in milliseconds with fractions; only differences mean something. */
  monotonicMs(): number;
  /** Calls back once after at least `delayMs`. The timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Cancel;
  /**
   * Resolves after `delayMs`, or rejects with a CancelledError as soon as the signal aborts. Keeps the process alive.
   * `sleep(0)` lets timers and I/O run once.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
