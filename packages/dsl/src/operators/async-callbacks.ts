/**
 * The functions that users give to asynchronous operators. Several calls run at a time; value first, key second, then what is known
 * about the call. A returned `null` for a key or value counts as absent.
 *
 * @module
 */
import type { AsyncCall } from '@millrace/topology';

/** Makes a new record, `[key, value]`, from a record. */
export type AsyncRecordMapper<K, V, K2, V2> = (value: V, key: K, call: AsyncCall) => PromiseLike<readonly [key: K2, value: V2]>;

/** Makes a new value from a record. */
export type AsyncValueMapper<K, V, R> = (value: V, key: K, call: AsyncCall) => PromiseLike<R>;

/** Makes any number of records, `[key, value]` each, from a record: a list in a promise, or an async generator. */
export type AsyncFlatRecordMapper<K, V, K2, V2> = (value: V, key: K, call: AsyncCall) => AsyncMany<readonly [key: K2, value: V2]>;

/** Makes any number of values from a record: a list in a promise, or an async generator. */
export type AsyncFlatValueMapper<K, V, R> = (value: V, key: K, call: AsyncCall) => AsyncMany<R>;

/** Does something with a record; its result is ignored. */
export type AsyncRecordAction<K, V> = (value: V, key: K, call: AsyncCall) => PromiseLike<unknown>;

/** Several things that take time to come. They are forwarded when the last one has come. */
export type AsyncMany<T> = PromiseLike<Iterable<T>> | AsyncIterable<T>;
