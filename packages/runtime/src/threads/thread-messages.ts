import type { LogFields } from '@millrace/core';
import type { AppState } from '../app/app-state.ts';
import type { CloseOptions } from '../app/running-application.ts';
import type { UncaughtErrorResponse } from '../components.ts';
import type { StorePlace, StoreRead } from '../query/store-source.ts';
import type { RestoreListener, RestoreProgress } from '../restore/restore-listener.ts';
import type { StreamsSettings } from '../settings/settings.ts';
import type { StandbyProgress, StandbySuspendReason } from '../standby/standby-update-listener.ts';
import type { PortableError } from './portable-error.ts';
import type { MetricUpdate } from './thread-metrics.ts';

/** What a thread is started with: plain data. */
export interface ThreadOrders {
  /** Counts from 1; part of its transactional id, client id and, for a static member, instance id. */
  readonly thread: number;
  /** With this thread's part of the memory. */
  readonly settings: StreamsSettings;
  /** The state directory that the process has claimed. */
  readonly directory: { readonly path: string; readonly processId: string };
  /** True for a thread that joins the group only to tell all workers to stop. */
  readonly asksForShutdown: boolean;
  /** Shared with the main thread, see `LoopPulse`. */
  readonly pulse: SharedArrayBuffer;
}

/** What the main thread wants to know of the stores of a thread. Answers carry the number of the question. */
export type QueryToThread =
  | {
      readonly kind: 'locate-store';
      readonly id: number;
      readonly store: string;
      readonly asked: { readonly key: unknown } | undefined;
    }
  /** Opens a read; its first page is the answer. */
  | { readonly kind: 'read-store'; readonly id: number; readonly request: StoreRead }
  /** The next page of an open read. */
  | { readonly kind: 'read-on'; readonly id: number }
  /** Nobody wants the rest of an open read. */
  | { readonly kind: 'stop-reading'; readonly id: number };

/** What a thread says of its stores. */
export type QueryFromThread =
  | { readonly kind: 'store-place'; readonly id: number; readonly place: StorePlace }
  /** A page; `undefined`: the read has ended. */
  | { readonly kind: 'store-rows'; readonly id: number; readonly rows: readonly unknown[] | undefined }
  | { readonly kind: 'query-failed'; readonly id: number; readonly error: PortableError };

/** What the main thread says to a thread. */
export type ToThread =
  | QueryToThread
  /** Commit, close, leave the group as the options say, end. */
  | ({ readonly kind: 'close' } & CloseOptions)
  /** The answer to `failed`. */
  | { readonly kind: 'verdict'; readonly response: UncaughtErrorResponse };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a thread says to the main thread. Never one message per record. */
export type FromThread =
  | QueryFromThread
  | { readonly kind: 'state'; readonly state: AppState }
  /** Its worker has failed; it waits for the verdict. */
  | { readonly kind: 'failed'; readonly error: PortableError }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
  | { readonly kind: 'metrics'; readonly updates: readonly MetricUpdate[] }
  | {
      readonly kind: 'restore';
      readonly event: keyof RestoreListener;
      readonly progress: RestoreProgress;
      readonly batchRecords: number;
    }
  | {
      readonly kind: 'standby';
      readonly event: 'onUpdateStart' | 'onBatchLoaded';
      readonly progress: StandbyProgress;
      readonly batchRecords: number;
    }
  | {
      readonly kind: 'standby';
      readonly event: 'onUpdateSuspended';
      readonly progress: StandbyProgress;
      readonly reason: StandbySuspendReason;
    }
  /** The last message: everything is closed. */
  | { readonly kind: 'ended'; readonly failure: PortableError | undefined };
