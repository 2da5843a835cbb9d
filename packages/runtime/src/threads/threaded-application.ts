import { assert, type Clock, FatalStreamsError, type Logger, type Metrics, type Random, SettingsError } from '@millrace/core';
import { AppStateMachine, type AppState, type AppStateListener } from '../app/app-state.ts';
import type { CloseOptions, RunningApplication } from '../app/running-application.ts';
import { untilRunning } from '../app/until-running.ts';
import type { UncaughtErrorHandler, UncaughtErrorResponse } from '../components.ts';
import { logRecovery, logStall } from '../loop-watch/stall.ts';
import { StallWatchdog } from '../loop-watch/stall-watchdog.ts';
import type { RestoreListener } from '../restore/restore-listener.ts';
import { StoreQueries } from '../query/store-queries.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';
import type { ResolvedSettings, StreamsSettings } from '../settings/settings.ts';
import type { StandbyUpdateListener } from '../standby/standby-update-listener.ts';
import { StateDirectory } from '../state-directory/state-directory.ts';
import { settingsOfThread } from './settings-of-thread.ts';
import type { ThreadHost } from './thread-host.ts';
import { type ThreadAudience, ThreadSeat } from './thread-seat.ts';
import type { ThreadStores } from './thread-stores.ts';

/** Before a thread that has died is started anew. */
const REPLACE_PAUSE_MS = 1000;
/** More threads than this are taken for a mistake. */
const THREADS_MAX = 1024;

/** What an application with threads needs on the main thread. */
export interface ThreadedComponents {
  readonly host: ThreadHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly restoreListener?: RestoreListener | undefined;
  readonly standbyUpdateListener?: StandbyUpdateListener | undefined;
  /**
   * Decides when the worker of a thread fails, or the thread dies. `replace-worker` starts that one over, `shutdown-client`
   * (default) stops the process's threads, `shutdown-application` those of all processes.
   */
  readonly onUncaughtError?: UncaughtErrorHandler | undefined;
}

/**
 * An application with several threads in one process: each has its own loop, connections and membership of the group, and runs
 * its share of the tasks. They share the state directory, and nothing else.
 *
 * Source: Kafka Streams `KafkaStreams` with `num.stream.threads`.
 */
export class ThreadedApplication implements RunningApplication, AsyncDisposable {
  readonly settings: ResolvedSettings;
  /** Asks the stores from outside. Keys and values are cloned on their way between threads: of objects of classes the fields are left. */
  readonly queries: StoreQueries;
  readonly finished: Promise<void>;
  readonly #given: StreamsSettings;
  readonly #components: ThreadedComponents;
  readonly #audience: ThreadAudience;
  readonly #state = new AppStateMachine();
  readonly #stop = new AbortController();
  readonly #watchdog: StallWatchdog;
  readonly #seats = new Map<number, ThreadSeat>();
  /** Numbers of threads that died and are to be started anew. */
  readonly #returning = new Set<number>();
  #directory: StateDirectory | undefined;
  #failure: unknown;
  #finish: () => void = () => undefined;

  /** @throws SettingsError */
  constructor(settings: StreamsSettings, components: ThreadedComponents) {
    this.settings = resolveSettings(settings);
    this.#given = settings;
    this.#components = components;
    this.queries = new StoreQueries({ sources: () => this.#askable(), state: () => this.state });
    this.#audience = {
      clock: components.clock,
      logger: components.logger,
      metrics: components.metrics,
      restoreListener: components.restoreListener,
      standbyUpdateListener: components.standbyUpdateListener,
      onStateChange: () => this.#aggregate(),
      onFailure: (seat, error) => this.#decide(seat.thread, error),
      onGone: (seat) => void this.#onGone(seat),
    };
    this.#watchdog = new StallWatchdog({
      clock: components.clock,
      stallMs: this.settings.eventLoopStallWarningMs,
      loops: () => this.#seats.values(),
      onStall: (stall) => logStall(components.logger, stall),
      onRecovery: (stall) => logRecovery(components.logger, stall),
    });
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get state(): AppState {
    return this.#state.state;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** The numbers of the threads that are there, without those that were asked to end. */
  get threads(): number[] {
    return [...this.#seats.values()]
      .filter(({ isLeaving }) => !isLeaving)
      .map(({ thread }) => thread)
      .sort((a, b) => a - b);
  }

  onStateChange(listener: AppStateListener): () => void {
    return this.#state.listen(listener);
  }

  running(): Promise<void> {
    return untilRunning(this);
  }

  /**
   * Starts the threads.
   *
   * @throws SettingsError `THREADS` for a number that is not from 1 to 1,024, or too many for the memory that was set;
   * FatalStreamsError when the state directory cannot be used
   */
  start(threads: number): void {
    assertThreads(threads);
    // Before anything is claimed.
    settingsOfThread(this.#given, this.settings, 1, threads);
    const { stateDir, applicationId } = this.settings;
    this.#directory = StateDirectory.claim(stateDir, applicationId, this.#components.random);
    this.#state.transition('rebalancing');
    for (let thread = 1; thread <= threads; thread++) this.#seat(thread, threads);
    this.#watchdog.start();
  }

  /**
   * Starts one more thread, which joins the group and gets its share of the tasks.
   *
   * The threads that run keep the share of the memory that they were started with; a task takes most of its memory with it.
   * Source: Kafka Streams `KafkaStreams.addStreamThread`.
   *
   * @returns its number, the lowest that is free; `undefined` when the application is not running, or not any more
   * @throws SettingsError `THREADS` when there are too many, or too many for the memory that was set
   */
  addThread(): number | undefined {
    if (this.state !== 'running' && this.state !== 'rebalancing') return undefined;
    let thread = 1;
    while (this.#seats.has(thread) || this.#returning.has(thread)) thread++;
    assertThreads(thread);
    this.#seat(thread, this.threads.length + 1);
    this.#aggregate();
    return thread;
  }

  /**
   * Asks the thread with the highest number to commit, to close its tasks and to leave the group, also as a static member, and waits
   * until it is gone; after `shutdownTimeoutMs` it is ended, and the group notices at its session timeout. The last one stays: that is what `close` is for. Source: Kafka Streams
   * `KafkaStreams.removeStreamThread`.
   *
   * @returns its number; `undefined` when there is none to remove
   */
  async removeThread(): Promise<number | undefined> {
    const thread = this.threads.at(-1);
    const seat = thread === undefined ? undefined : this.#seats.get(thread);
    if (seat === undefined || this.threads.length === 1 || !this.#state.alive) return undefined;
    seat.leave({ leaveGroup: true });
    this.#aggregate();
    const { clock, logger } = this.#components;
    const cancel = clock.setTimer(this.settings.shutdownTimeoutMs, () => {
      logger.error('the removed thread does not stop; it is ended', { thread });
      seat.terminate();
    });
    await seat.gone;
    cancel();
    return thread;
  }

  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#state.alive) this.#state.transition('pending-shutdown');
    this.#leaveAll(options);
    const cancel = this.#components.clock.setTimer(this.settings.shutdownTimeoutMs, () => this.#giveUp());
    if (this.#directory === undefined) this.#end();
    this.#endIfEmpty();
    await this.finished;
    cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #seat(thread: number, threads: number, asksForShutdown = false): void {
    assert(this.#directory !== undefined, 'threads start after the application');
    const { path, processId } = this.#directory;
    const settings = settingsOfThread(this.#given, this.settings, thread, threads);
    const orders = { thread, settings, directory: { path, processId }, asksForShutdown };
    this.#seats.set(thread, new ThreadSeat(this.#components.host, orders, this.#audience));
  }

  /** A thread that is starting has nothing yet. */
  #askable(): ThreadStores[] {
    return [...this.#seats.values()]
      .filter(({ isLeaving, state }) => !isLeaving && (state === 'running' || state === 'rebalancing'))
      .map(({ stores }) => stores);
  }

  /** `running` when every thread is: then all tasks of the process are restored, and take records. */
  #aggregate(): void {
    if (!this.#state.alive || this.#state.state === 'created') return;
    const staying = [...this.#seats.values()].filter(({ isLeaving }) => !isLeaving);
    const allRun = staying.every(({ state }) => state === 'running') && this.#returning.size === 0;
    this.#state.transition(allRun ? 'running' : 'rebalancing');
  }

  async #decide(thread: number, error: unknown): Promise<UncaughtErrorResponse> {
    const { onUncaughtError, logger } = this.#components;
    const isAsked = (error as { code?: unknown }).code === 'SHUTDOWN_REQUESTED';
    const response = isAsked ? 'shutdown-client' : await this.#ask(onUncaughtError, error);
    logger.error('a thread failed', { thread, error, response });
    if (response === 'replace-worker') return response;
    this.#failure ??= error;
    if (this.#state.alive) this.#state.transition('pending-error');
    for (const seat of this.#seats.values()) if (seat.thread !== thread) seat.leave();
    return response;
  }

  async #ask(handler: UncaughtErrorHandler | undefined, error: unknown): Promise<UncaughtErrorResponse> {
    try {
      return (await handler?.(error)) ?? 'shutdown-client';
    } catch (thrown) {
      this.#components.logger.error('onUncaughtError threw; the application stops', { error: thrown });
      return 'shutdown-client';
    }
  }

  async #onGone(seat: ThreadSeat): Promise<void> {
    const { thread, unjudgedFailure: failure } = seat;
    this.#seats.delete(thread);
    if (failure === undefined || seat.isLeaving || !this.#state.alive) {
      this.#aggregate();
      return this.#endIfEmpty();
    }
    this.#returning.add(thread);
    this.#aggregate();
    const response = await this.#decide(thread, failure);
    if (response === 'replace-worker') await this.#replace(thread);
    this.#returning.delete(thread);
    if (response === 'shutdown-application' && !this.#stop.signal.aborted) this.#seat(thread, 1, true);
    this.#endIfEmpty();
  }

  async #replace(thread: number): Promise<void> {
    await this.#components.clock.sleep(REPLACE_PAUSE_MS, this.#stop.signal).catch(() => undefined);
    if (this.#state.alive && !this.#seats.has(thread)) this.#seat(thread, this.#seats.size + this.#returning.size);
  }

  #leaveAll(options: CloseOptions): void {
    this.#stop.abort();
    for (const seat of this.#seats.values()) seat.leave(options);
  }

  /** The clean stop takes too long: what the threads have not committed is processed again by the next owners. */
  #giveUp(): void {
    const { shutdownTimeoutMs } = this.settings;
    const threads = [...this.#seats.keys()];
    if (threads.length === 0) return;
    this.#components.logger.error('the clean stop takes too long; the threads are ended', { shutdownTimeoutMs, threads });
    this.#failure ??= new FatalStreamsError(
      'SHUTDOWN_TIMEOUT',
      `threads ${threads.join(', ')} did not stop within shutdownTimeoutMs (${shutdownTimeoutMs} ms) and were ended; what they had not committed is processed again`,
    );
    if (this.state === 'pending-shutdown') this.#state.transition('pending-error');
    for (const seat of this.#seats.values()) seat.terminate();
  }

  #endIfEmpty(): void {
    if (this.#state.alive || this.#seats.size > 0 || this.#returning.size > 0) return;
    this.#end();
  }

  #end(): void {
    this.#stop.abort();
    this.#watchdog.stop();
    this.#directory?.release();
    this.#directory = undefined;
    if (this.state === 'pending-error') this.#state.transition('error');
    else if (this.state === 'pending-shutdown') this.#state.transition('not-running');
    this.#finish();
  }
}

function assertThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= THREADS_MAX) return;
  throw new SettingsError('THREADS', `threads: ${threads}; give a whole number from 1 to ${THREADS_MAX}`);
}
