import type { Cancel, Clock, LogFields, Logger, Metrics } from '@millrace/core';
import type { CloseOptions } from '../app/running-application.ts';
import type { StreamsApplication } from '../app/streams-application.ts';
import type { UncaughtErrorResponse } from '../components.ts';
import type { RestoreListener, RestoreProgress } from '../restore/restore-listener.ts';
import type { StandbyProgress, StandbyUpdateListener } from '../standby/standby-update-listener.ts';
import { toPortableError } from './portable-error.ts';
import type { FromThread, LogLevel, ToThread } from './thread-messages.ts';
import { ThreadMetrics } from './thread-metrics.ts';
import { ThreadStoreDesk } from './thread-store-desk.ts';

/** How often the main thread is told the metrics. */
const METRICS_INTERVAL_MS = 500;

/** A thread's end of the line to the main thread. */
export interface ThreadLine {
  post(message: FromThread): void;
  /** There is one listener. */
  listen(listener: (message: ToThread) => void): void;
}

/**
 * What a thread has in place of the application's own logger, metrics and listeners: all of them are on the main thread, and
 * this tells them.
 */
export class ThreadSide {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly restoreListener: RestoreListener;
  readonly standbyUpdateListener: StandbyUpdateListener;
  readonly #line: ThreadLine;
  readonly #metrics = new ThreadMetrics();
  readonly #stores: ThreadStoreDesk;
  #answer: (response: UncaughtErrorResponse) => void = () => undefined;
  #application: StreamsApplication | undefined;
  /** Set once the thread is to end. */
  #closing: CloseOptions | undefined;

  constructor(line: ThreadLine) {
    this.#line = line;
    this.#stores = new ThreadStoreDesk((answer) => line.post(answer));
    this.logger = createLogger(line);
    this.metrics = this.#metrics;
    this.restoreListener = createRestoreListener(line);
    this.standbyUpdateListener = createStandbyListener(line);
    line.listen((message) => this.#onMessage(message));
  }

  /** Asks the main thread what to do. */
  async onUncaughtError(error: unknown): Promise<UncaughtErrorResponse> {
    this.#line.post({ kind: 'failed', error: toPortableError(error) });
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** Starts the application and stays with it until it has ended. */
  async run(application: StreamsApplication, clock: Clock): Promise<void> {
    this.#application = application;
    this.#stores.serve(application.storeSource);
    application.onStateChange((state) => this.#line.post({ kind: 'state', state }));
    const cancel = this.#tellMetrics(clock);
    if (this.#closing !== undefined) void application.close(this.#closing);
    else application.start();
    await application.finished;
    cancel();
    this.#line.post({ kind: 'metrics', updates: this.#metrics.takeUpdates() });
    this.#end(application.failure);
  }

  /** There will be no application. */
  fail(error: unknown): void {
    this.#end(error);
  }

  #end(failure: unknown): void {
    this.#line.post({ kind: 'ended', failure: failure === undefined ? undefined : toPortableError(failure) });
  }

  #onMessage(message: ToThread): void {
    if (message.kind === 'verdict') {
      this.#answer(message.response);
      return;
    }
    if (message.kind !== 'close') {
      void this.#stores.onQuestion(message);
      return;
    }
    this.#closing = message;
    // Whoever waits for a verdict need not wait any more.
    this.#answer('shutdown-client');
    void this.#application?.close(message);
  }

  #tellMetrics(clock: Clock): Cancel {
    let cancel: Cancel = () => undefined;
    const tell = (): void => {
      const updates = this.#metrics.takeUpdates();
      if (updates.length > 0) this.#line.post({ kind: 'metrics', updates });
      cancel = clock.setTimer(METRICS_INTERVAL_MS, tell);
    };
    tell();
    return () => cancel();
  }
}

function createLogger(line: ThreadLine, context: LogFields = {}): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      line.post({ kind: 'log', level, message, fields: portableFields({ ...context, ...fields }) });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLogger(line, { ...context, ...fields }),
  };
}

/** Errors as data, everything else as `JSON.stringify` leaves it: that is what the port promises. */
function portableFields({ error, ...fields }: LogFields): LogFields {
  const plain = JSON.parse(JSON.stringify(fields)) as LogFields;
  return error === undefined ? plain : { ...plain, error: toPortableError(error) };
}

function createRestoreListener(line: ThreadLine): RestoreListener {
  const at =
    (event: keyof RestoreListener) =>
    (progress: RestoreProgress, batchRecords = 0): void =>
      line.post({ kind: 'restore', event, progress: copyOf(progress), batchRecords });
  return {
    onRestoreStart: at('onRestoreStart'),
    onBatchRestored: at('onBatchRestored'),
    onRestoreEnd: at('onRestoreEnd'),
    onRestoreSuspended: at('onRestoreSuspended'),
  };
}

/** The values of a moment; most of them are getters. */
function copyOf(progress: RestoreProgress): RestoreProgress {
  const { taskId, store, topic, partition, startOffset, currentOffset, endOffset } = progress;
  const { restoredRecords, restoredBytes, elapsedMs, recordsPerSecond, remainingMs } = progress;
  const place = { taskId, store, topic, partition, startOffset, currentOffset, endOffset };
  return { ...place, restoredRecords, restoredBytes, elapsedMs, recordsPerSecond, remainingMs };
}

function createStandbyListener(line: ThreadLine): StandbyUpdateListener {
  const copy = ({
    taskId,
    store,
    topic,
    partition,
    startOffset,
    currentOffset,
    endOffset,
  }: StandbyProgress): StandbyProgress => ({
    taskId,
    store,
    topic,
    partition,
    startOffset,
    currentOffset,
    endOffset,
  });
  return {
    onUpdateStart: (progress) =>
      line.post({ kind: 'standby', event: 'onUpdateStart', progress: copy(progress), batchRecords: 0 }),
    onBatchLoaded: (progress, batchRecords) =>
      line.post({ kind: 'standby', event: 'onBatchLoaded', progress: copy(progress), batchRecords }),
    onUpdateSuspended: (progress, reason) =>
      line.post({ kind: 'standby', event: 'onUpdateSuspended', progress: copy(progress), reason }),
  };
}
