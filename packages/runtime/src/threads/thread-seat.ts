import type { Clock, Logger, Metrics } from '@millrace/core';
import type { AppState } from '../app/app-state.ts';
import type { CloseOptions } from '../app/running-application.ts';
import type { UncaughtErrorResponse } from '../components.ts';
import { LoopPulse } from '../loop-watch/loop-pulse.ts';
import type { RestoreListener, RestoreProgress } from '../restore/restore-listener.ts';
import type { StandbyUpdateListener } from '../standby/standby-update-listener.ts';
import { fromPortableError } from './portable-error.ts';
import { threadDied } from './thread-died.ts';
import type { ThreadHandle, ThreadHost } from './thread-host.ts';
import type { FromThread, ThreadOrders } from './thread-messages.ts';
import { mergeMetrics } from './thread-metrics.ts';
import { ThreadStores } from './thread-stores.ts';

/** What the threads of a process report to. */
export interface ThreadAudience {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly restoreListener: RestoreListener | undefined;
  readonly standbyUpdateListener: StandbyUpdateListener | undefined;
  /** The state of a thread has changed. */
  readonly onStateChange: () => void;
  /** The worker of a thread has failed: what is to be done? */
  readonly onFailure: (seat: ThreadSeat, error: unknown) => Promise<UncaughtErrorResponse>;
  /** The thread is gone. */
  readonly onGone: (seat: ThreadSeat) => void;
}

/** One thread of an application, as the main thread sees it. */
export class ThreadSeat {
  readonly thread: number;
  readonly pulse: LoopPulse;
  readonly stores: ThreadStores;
  /** Resolves when the thread is gone. */
  readonly gone: Promise<void>;
  readonly #audience: ThreadAudience;
  readonly #logger: Logger;
  readonly #handle: ThreadHandle;
  readonly #restores = new Map<string, RestoreProgress>();
  #state: AppState = 'created';
  #failure: unknown;
  #hasEnded = false;
  #isLeaving = false;
  #isKnown = false;
  #resolveGone: () => void = () => undefined;

  constructor(host: ThreadHost, orders: Omit<ThreadOrders, 'pulse'>, audience: ThreadAudience) {
    const memory = LoopPulse.memory();
    this.thread = orders.thread;
    this.pulse = new LoopPulse(memory);
    this.#audience = audience;
    this.#logger = audience.logger.child({ thread: orders.thread });
    this.stores = new ThreadStores(orders.thread, audience.clock, (question) => this.#handle.post(question));
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.#handle = host.start(
      { ...orders, pulse: memory },
      {
        onMessage: (message) => this.#onMessage(message),
        onExit: (error, exitCode) => this.#onExit(error, exitCode),
      },
    );
  }

  get state(): AppState {
    return this.#state;
  }

  /** Why the thread has ended; `undefined` when it was asked to, or when what it failed of has been judged. */
  get unjudgedFailure(): unknown {
    return this.#isKnown ? undefined : this.#failure;
  }

  /** True from the moment that it was asked to end. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Asks the thread to commit, to leave the group, and to end. */
  leave(options: CloseOptions = {}): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#handle.post({ kind: 'close', ...options });
  }

  terminate(): void {
    this.#isLeaving = true;
    this.#handle.terminate();
  }

  #onMessage(message: FromThread): void {
    switch (message.kind) {
      case 'state':
        this.#state = message.state;
        this.#audience.onStateChange();
        break;
      case 'failed':
        void this.#judge(fromPortableError(message.error));
        break;
      case 'log':
        this.#log(message);
        break;
      case 'metrics':
        mergeMetrics(this.#audience.metrics, this.thread, message.updates);
        break;
      case 'restore':
        this.#tellRestore(message);
        break;
      case 'standby':
        this.#tellStandby(message);
        break;
      case 'store-place':
      case 'store-rows':
      case 'query-failed':
        this.stores.onAnswer(message);
        break;
      case 'ended':
        this.#hasEnded = true;
        this.#failure = message.failure === undefined ? undefined : fromPortableError(message.failure);
    }
  }

  async #judge(error: unknown): Promise<void> {
    const response = await this.#audience.onFailure(this, error);
    // Only then does it end with this error.
    this.#isKnown = response !== 'replace-worker';
    this.#handle.post({ kind: 'verdict', response });
  }

  #onExit(error: unknown, exitCode: number): void {
    if (!this.#hasEnded && !this.#isLeaving) {
      this.#isKnown = false;
      this.#failure = threadDied(this.thread, error, exitCode);
    }
    this.stores.end();
    this.#audience.onGone(this);
    this.#resolveGone();
  }

  #log({ level, message, fields: { error, ...fields } }: FromThread & { kind: 'log' }): void {
    const given = error === undefined ? fields : { ...fields, error: fromPortableError(error as never) };
    this.#logger[level](message, given);
  }

  /** Listeners may keep the progress of a restore and look at it again: it is one object from its start to its end. */
  #tellRestore({ event, progress, batchRecords }: FromThread & { kind: 'restore' }): void {
    const key = `${progress.topic}-${progress.partition}`;
    const kept = event === 'onRestoreStart' ? progress : Object.assign(this.#restores.get(key) ?? {}, progress);
    this.#restores.set(key, kept);
    if (event === 'onRestoreEnd' || event === 'onRestoreSuspended') this.#restores.delete(key);
    this.#tell(() => this.#audience.restoreListener?.[event]?.(kept, batchRecords));
  }

  #tellStandby(message: FromThread & { kind: 'standby' }): void {
    const { standbyUpdateListener: listener } = this.#audience;
    const { event, progress } = message;
    if (event === 'onUpdateSuspended') this.#tell(() => listener?.onUpdateSuspended?.(progress, message.reason));
    else this.#tell(() => listener?.[event]?.(progress, message.batchRecords));
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.warn('a listener threw; that is ignored', { error });
    }
  }
}
