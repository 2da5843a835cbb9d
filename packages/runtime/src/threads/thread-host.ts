import type { FromThread, ThreadOrders, ToThread } from './thread-messages.ts';

/** What is heard of a thread. */
export interface ThreadEvents {
  readonly onMessage: (message: FromThread) => void;
  /**
   * It is gone. Called once, after its last message.
   *
   * @param error what nobody in the thread has caught, or that it ran out of memory; `undefined`: none
   */
  readonly onExit: (error: unknown, exitCode: number) => void;
}

/** A thread that was started. */
export interface ThreadHandle {
  post(message: ToThread): void;
  /** Ends it at once, also in the middle of a callback that does not return. */
  terminate(): void;
}

/** Starts threads that load the same topology. */
export interface ThreadHost {
  start(orders: ThreadOrders, events: ThreadEvents): ThreadHandle;
}
