/**
 * Where state lives: store contracts, the overlay of uncommitted rows, the in-memory engine, and the engine port.
 *
 * @module
 */
export type { ClosedRowVisitor, ClosingStore, StartIndexedWindowStore } from './contracts/closing-store.ts';
export type { ByteRange, OpenDatabaseOptions, StateDatabase, StateEngine, StateSnapshot } from './contracts/engine.ts';
export type { BufferListener, ChangeBuffer, RecordBuffer } from './contracts/buffers.ts';
export type {
  ChangelogWriter,
  FlushListener,
  StateStore,
  StoreBuilder,
  StoreContext,
  StoreReaderBuilder,
  TopicConfig,
} from './contracts/state-store.ts';
export type {
  JoinSide,
  JoinStore,
  KeyValue,
  KeyValueStore,
  OuterJoinStore,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyVersionedKeyValueStore,
  ReadOnlyWindowStore,
  Row,
  RowAccess,
  SessionRow,
  SessionStore,
  TimestampedKeyValueStore,
  TimestampedWindowStore,
  ValueAndTimestamp,
  VersionedKeyValueStore,
  WindowedKey,
  WindowStore,
} from './contracts/stores.ts';
export { WriteBatch, type WriteBatchVisitor } from './write-batch.ts';
export { memoryEngine } from './memory/memory-engine.ts';
export { keyValueStore, type KeyValueStoreOptions, timestampedKeyValueStore } from './stores/key-value-store.ts';
export { prefixedKeyValueStore, type PrefixedStoreOptions } from './stores/prefixed-key-value-store.ts';
export type { CachedStoreOptions, StoreOptions } from './stores/store-options.ts';
export {
  timestampedWindowStore,
  windowStore,
  type PlainWindowStoreOptions,
  type WindowStoreOptions,
} from './stores/window-store.ts';
export { sessionStore, type SessionStoreOptions } from './stores/session-store.ts';
export { joinStore, outerJoinStore, type JoinStoreOptions, type OuterJoinStoreOptions } from './stores/join-store.ts';
export { lruStore, type LruStoreOptions } from './stores/lru-store.ts';
export { withoutLogging } from './stores/without-logging.ts';
export { versionedKeyValueStore, type VersionedStoreOptions } from './stores/versioned-store.ts';
export { changeBuffer, recordBuffer, type BufferOptions, type RecordBufferOptions } from './stores/buffer-store.ts';
