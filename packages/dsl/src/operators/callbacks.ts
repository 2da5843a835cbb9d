/**
 * The functions that users give to operators. All are called synchronously, once per record; value first, key second.
 * An absent key or value (Kafka's null) arrives as `undefined`; a returned `null` counts as absent too.
 *
 * @module
 */

/** Says whether a record passes. */
export type Predicate<K, V> = (value: V, key: K) => boolean;

/** Makes a new value from a record. */
export type ValueMapper<K, V, R> = (value: V, key: K) => R;

/** Makes a new key from a record. */
export type KeySelector<K, V, R> = (value: V, key: K) => R;

/** Makes a new record, `[key, value]`, from a record. */
export type RecordMapper<K, V, K2, V2> = (value: V, key: K) => readonly [key: K2, value: V2];

/** Makes any number of values from a record. */
export type FlatValueMapper<K, V, R> = (value: V, key: K) => Iterable<R>;

/** Makes any number of records, `[key, value]` each, from a record. */
export type FlatRecordMapper<K, V, K2, V2> = (value: V, key: K) => Iterable<readonly [key: K2, value: V2]>;

/** Looks at a record; its result is ignored. */
export type RecordAction<K, V> = (value: V, key: K) => void;

/** The aggregate of a key (and window) before its first record. Must return a new object each time. */
export type Initializer<A> = () => A;

/** Adds a record to the aggregate of its key; argument order as in `Array.prototype.reduce`. */
export type Aggregator<K, V, A> = (aggregate: A, value: V, key: K) => A | undefined;

/** Combines the aggregate of a key with the next value of the same type. */
export type Reducer<V> = (aggregate: V, value: V) => V | undefined;

/** Combines the aggregates of two sessions of a key that turned out to be one; `a` is the earlier one. */
export type SessionMerger<K, A> = (a: A, b: A, key: K) => A;

/** Combines two records that met in a join. A side that can be missing has `undefined` in its type. */
export type Joiner<K, L, R, Out> = (left: L, right: R, key: K) => Out;
