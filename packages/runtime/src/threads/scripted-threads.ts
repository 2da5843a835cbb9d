import type { ThreadEvents, ThreadHandle, ThreadHost } from './thread-host.ts';
import type { FromThread, ThreadOrders, ToThread } from './thread-messages.ts';

/** A thread that does what a test says. */
export class ScriptedThread implements ThreadHandle {
  readonly orders: ThreadOrders;
  readonly heard: ToThread[] = [];
  readonly #events: ThreadEvents;
  isGone = false;

  constructor(orders: ThreadOrders, events: ThreadEvents) {
    this.orders = orders;
    this.#events = events;
  }

  post(message: ToThread): void {
    this.heard.push(message);
  }

  terminate(): void {
    this.exit(undefined, 1);
  }

  say(message: FromThread): void {
    this.#events.onMessage(message);
  }

  /** Ends as a thread does that was asked to. */
  end(): void {
    this.say({ kind: 'ended', failure: undefined });
    this.exit(undefined, 0);
  }

  exit(error: unknown, code: number): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#events.onExit(error, code);
  }
}

/** Threads that run nothing. */
export class ScriptedThreads implements ThreadHost {
  /** In the order in which they were started. */
  readonly started: ScriptedThread[] = [];

  start(orders: ThreadOrders, events: ThreadEvents): ThreadHandle {
    const thread = new ScriptedThread(orders, events);
    this.started.push(thread);
    return thread;
  }

  /** The one with that number that was started last. */
  at(number: number): ScriptedThread {
    return this.started.findLast(({ orders }) => orders.thread === number) as ScriptedThread;
  }

  get present(): number[] {
    return this.started.filter(({ isGone }) => !isGone).map(({ orders }) => orders.thread);
  }
}
