/**
 * What runs a topology: the application, its worker, tasks, commit, restore and assignment.
 *
 * @module
 */
export type { AppState, AppStateListener } from './app/app-state.ts';
export type { CloseOptions, RunningApplication } from './app/running-application.ts';
export { StreamsApplication, type ThreadPlace } from './app/streams-application.ts';
export type { StreamsComponents, UncaughtErrorHandler, UncaughtErrorResponse } from './components.ts';
export type { LoopWatcher, LoopWatchOrders } from './loop-watch/loop-watcher.ts';

// Stores asked from outside.
export type {
  QueryableKeyValueStore,
  QueryableSessionStore,
  QueryableVersionedStore,
  QueryableWindowStore,
} from './query/queryable-stores.ts';
export { type KeyMetadata, StoreQueries } from './query/store-queries.ts';
export type { QueryIsolation, StoreQueryOptions } from './query/store-query.ts';
export type { StoreHost } from './query/store-source.ts';
export { StoreNotHereError } from './query/store-not-here-error.ts';

// Several threads.
export { placeOf } from './threads/place-of.ts';
export type { ThreadEvents, ThreadHandle, ThreadHost } from './threads/thread-host.ts';
export type { FromThread, ThreadOrders, ToThread } from './threads/thread-messages.ts';
export { type ThreadLine, ThreadSide } from './threads/thread-side.ts';
export { ThreadedApplication, type ThreadedComponents } from './threads/threaded-application.ts';

// The task and its error handlers.
export {
  logAndContinueDeserialization,
  logAndFailDeserialization,
  type DeserializationErrorHandler,
  type RawRecord,
} from './errors/deserialization-error-handler.ts';
export { type DeadLetter, deadLetter } from './errors/dead-letter.ts';
export type { ErrorDecision } from './errors/error-decision.ts';
export type { ErrorHandlerContext } from './errors/error-handler-context.ts';
export {
  logAndContinueProcessing,
  logAndFailProcessing,
  type ProcessedRecord,
  type ProcessingErrorHandler,
} from './errors/processing-error-handler.ts';
export {
  defaultProductionErrorHandler,
  logAndContinueProduction,
  type ProductionDecision,
  type ProductionErrorHandler,
  type RefusedRecord,
  type UnserializedRecord,
} from './errors/production-error-handler.ts';
export { globalSubtopology } from './global/global-subtopology.ts';
export type { InputProgress } from './task/partition-group.ts';
export type { StreamTaskOptions, TaskComponents, TaskSettings } from './task/stream-task-options.ts';
export { StreamTask } from './task/stream-task.ts';
export { ASYNC_RETRIES, DROPPED_RECORDS, PROCESSED_RECORDS, PUNCTUATIONS } from './task/task-metrics.ts';
export type { TaskChangelog } from './task-state/task-state.ts';
export { internalTopicName } from './topics/topic-names.ts';
export type { RestoreListener, RestoreProgress } from './restore/restore-listener.ts';
export type { StandbyProgress, StandbySuspendReason, StandbyUpdateListener } from './standby/standby-update-listener.ts';
export { ApplicationReset, type ResetComponents } from './reset/application-reset.ts';
export type { OffsetTarget } from './reset/offset-target.ts';
export type { OffsetChange, ResetPlan } from './reset/reset-plan.ts';
export type { ResetRequest } from './reset/reset-request.ts';
export { resolveSettings } from './settings/resolve-settings.ts';
export type {
  DiskFullPolicy,
  Guarantee,
  MissingOffsetsPolicy,
  OffsetReset,
  RecreatedInputPolicy,
  ResolvedSettings,
  StreamsSettings,
  TopologyMismatchPolicy,
} from './settings/settings.ts';
