/**
 * Streams and tables as users see them. The five classes lead to one another, so they share a file; what an operator adds to
 * the graph is in `stream/`, `table/` and `grouped/`, what it does with a record in `operators/`.
 *
 * Functions get the value first and the key second. An absent key or value (Kafka's null) is `undefined`.
 *
 * @module
 */
import type { Serde, Topic } from '@millrace/core';
import type { WindowedKey } from '@millrace/state';
import type { AsyncOptions, AsyncProcessorSupplier, FixedKeyProcessorSupplier, ProcessorSupplier } from '@millrace/topology';
import { type AggregateOptions, aggregateByKey } from './grouped/aggregate.ts';
import { aggregateCall, countCall, reduceCall } from './grouped/aggregation-calls.ts';
import { aggregateTable, tableAggregateCall, tableCountCall, tableReduceCall } from './grouped/aggregate-table.ts';
import { addCogroup, cogroupCall, type CogroupInputs, keyShape, withInput } from './grouped/cogroup.ts';
import type { GroupedOrigin } from './grouped/grouped-origin.ts';
import { type GroupedTableOrigin, groupTable } from './grouped/grouped-table.ts';
import { aggregateByFixedWindow, aggregateBySession } from './grouped/windowed-aggregate.ts';
import { type FixedWindows, fixedWindowShape, sessionShape } from './grouped/windowed-shapes.ts';
import type {
  AsyncFlatRecordMapper,
  AsyncFlatValueMapper,
  AsyncRecordAction,
  AsyncRecordMapper,
  AsyncValueMapper,
} from './operators/async-callbacks.ts';
import type { Aggregator, Initializer, Joiner, Predicate, RecordAction, Reducer, SessionMerger } from './operators/callbacks.ts';
import type { ValueTransformerSupplier } from './operators/value-transformer.ts';
import type { GlobalJoinOptions } from './options/global-join-options.ts';
import type { MaterializedOptions } from './options/materialized.ts';
import type {
  GroupedOptions,
  NamedOptions,
  ProcessOptions,
  ProducedOptions,
  RepartitionOptions,
  SerdeOptions,
  StreamJoinOptions,
  TableJoinOptions,
} from './options/operator-options.ts';
import type { Suppressed } from './options/suppressed.ts';
import type { Sync } from './options/synchronous.ts';
import type { StreamOrigin, TableOrigin } from './origin/origins.ts';
import {
  addFlatMapAsync,
  addFlatMapValuesAsync,
  addForeachAsync,
  addMapAsync,
  addMapValuesAsync,
  addProcessAsync,
} from './stream/asynchronous.ts';
import { addJoin } from './stream/join.ts';
import { addProcess, addProcessValues } from './stream/process.ts';
import { addRepartition } from './stream/repartition.ts';
import { addSink, type SinkTopic, type TopicChooser } from './stream/sink.ts';
import { addBranches, type Branch, type Branches, type SplitOptions } from './stream/split.ts';
import { addMerge } from './stream/stateless.ts';
import {
  addFilter,
  addFlatMap,
  addFlatMapValues,
  addForeach,
  addMap,
  addMapValues,
  addPeek,
  addSelectKey,
} from './stream/transformations.ts';
import { addStreamTable } from './table/add-source-table.ts';
import { addDerivedTable } from './table/derived-table.ts';
import type { GlobalKTable } from './table/global-table.ts';
import type { ForeignKeyJoinOptions } from './table/foreign-key-join.ts';
import { joinWithTable } from './table/join-with-table.ts';
import type { JoinTablesOptions } from './table/join-tables.ts';
import { type SuppressOptions, suppressTable } from './table/suppress-table.ts';
import { addToStream, filterTable, mapTableValues } from './table/table-operations.ts';
import { transformTable, type TransformValuesOptions } from './table/transform-table.ts';
import { SessionWindows } from './windows/session-windows.ts';
import type { SlidingWindows } from './windows/sliding-windows.ts';
import type { TimeWindows } from './windows/time-windows.ts';
import type { UnlimitedWindows } from './windows/unlimited-windows.ts';
import { type Emit, resolveEmit, type WindowedOptions } from './windows/windowed-options.ts';

/**
 * A stream of records, each a fact of its own.
 *
 * Operators that make new keys mark the stream: the next operator that works by key sends it through a repartition topic
 * first. Operators whose result types have no known serde take one as an option, needed only where the records are written.
 *
 * Source: Kafka Streams `KStream`.
 */
export class KStream<K, V> {
  /** @internal What operators build on. */
  readonly origin: StreamOrigin<K, V>;

  /** @internal Streams come from `StreamsBuilder.stream` and from operators. */
  constructor(origin: StreamOrigin<K, V>) {
    this.origin = origin;
  }

  /** Keeps the records for which the predicate is true. */
  filter<V2 extends V>(predicate: (value: V, key: K) => value is V2, options?: NamedOptions): KStream<K, V2>;
  filter(predicate: Predicate<K, V>, options?: NamedOptions): KStream<K, V>;
  filter(predicate: Predicate<K, V>, options: NamedOptions = {}): KStream<K, V> {
    return new KStream(addFilter(this.origin, predicate, false, options));
  }

  /** Drops the records for which the predicate is true. */
  filterNot(predicate: Predicate<K, V>, options: NamedOptions = {}): KStream<K, V> {
    return new KStream(addFilter(this.origin, predicate, true, options));
  }

  /** Gives each record a new key and a new value. @example orders.map((order, id) => [order.customer, { id, ...order }]) */
  map<K2, V2>(
    mapper: (value: V, key: K) => readonly [key: K2, value: V2],
    options: NamedOptions & SerdeOptions<K2, V2> = {},
  ): KStream<K2, V2> {
    return new KStream(addMap(this.origin, mapper, options));
  }

  /** Gives each record a new value. A function that returns a promise does not compile: see `mapValuesAsync`. */
  mapValues<R>(mapper: (value: V, key: K) => Sync<R>, options: NamedOptions & { readonly value?: Serde<R> } = {}): KStream<K, R> {
    return new KStream(addMapValues<K, V, R>(this.origin, mapper, options));
  }

  /** Makes any number of records, `[key, value]` each, of one. */
  flatMap<K2, V2>(
    mapper: (value: V, key: K) => Iterable<readonly [key: K2, value: V2]>,
    options: NamedOptions & SerdeOptions<K2, V2> = {},
  ): KStream<K2, V2> {
    return new KStream(addFlatMap(this.origin, mapper, options));
  }

  /** Makes any number of records with the same key of one. @example lines.flatMapValues((line) => line.split(' ')) */
  flatMapValues<R>(
    mapper: (value: V, key: K) => Iterable<R>,
    options: NamedOptions & { readonly value?: Serde<R> } = {},
  ): KStream<K, R> {
    return new KStream(addFlatMapValues(this.origin, mapper, options));
  }

  /** Gives each record a new key. */
  selectKey<K2>(
    selector: (value: V, key: K) => Sync<K2>,
    options: NamedOptions & { readonly key?: Serde<K2> } = {},
  ): KStream<K2, V> {
    return new KStream(addSelectKey<K, V, K2>(this.origin, selector, options));
  }

  /** Looks at each record. Not part of a transaction: a record that is processed again is shown again. */
  peek(action: RecordAction<K, V>, options: NamedOptions = {}): KStream<K, V> {
    return new KStream(addPeek(this.origin, action, options));
  }

  /** As `peek`, where the stream ends. */
  foreach(action: RecordAction<K, V>, options: NamedOptions = {}): void {
    addForeach(this.origin, action, options);
  }

  /**
   * As `map`, with a function that takes time: several calls run at once, results leave in the order that the options say, and a
   * commit waits for those under way (docs/async-operators.md). What fails goes to the processing error handler.
   */
  mapAsync<K2, V2>(
    mapper: AsyncRecordMapper<K, V, K2, V2>,
    options: NamedOptions & SerdeOptions<K2, V2> & AsyncOptions = {},
  ): KStream<K2, V2> {
    return new KStream(addMapAsync(this.origin, mapper, options));
  }

  /** As `mapAsync`; the keys stay. @example orders.mapValuesAsync((order, _id, { signal }) => rates.quote(order, { signal })) */
  mapValuesAsync<R>(
    mapper: AsyncValueMapper<K, V, R>,
    options: NamedOptions & { readonly value?: Serde<R> } & AsyncOptions = {},
  ): KStream<K, R> {
    return new KStream(addMapValuesAsync(this.origin, mapper, options));
  }

  /** As `flatMap`, asynchronously: see `mapAsync`. The function is an async generator, or returns a promise of a list. */
  flatMapAsync<K2, V2>(
    mapper: AsyncFlatRecordMapper<K, V, K2, V2>,
    options: NamedOptions & SerdeOptions<K2, V2> & AsyncOptions = {},
  ): KStream<K2, V2> {
    return new KStream(addFlatMapAsync(this.origin, mapper, options));
  }

  /** As `flatMapValues`, asynchronously: see `flatMapAsync`. */
  flatMapValuesAsync<R>(
    mapper: AsyncFlatValueMapper<K, V, R>,
    options: NamedOptions & { readonly value?: Serde<R> } & AsyncOptions = {},
  ): KStream<K, R> {
    return new KStream(addFlatMapValuesAsync(this.origin, mapper, options));
  }

  /** As `foreach`, asynchronously: see `mapAsync`. A record is committed after its action has ended; the action may run again. */
  foreachAsync(action: AsyncRecordAction<K, V>, options: NamedOptions & AsyncOptions = {}): void {
    addForeachAsync(this.origin, action, options);
  }

  /** Both streams in one. There is no order between them but that in which their records happen to be processed. */
  merge(other: KStream<K, V>, options: NamedOptions = {}): KStream<K, V> {
    return new KStream(addMerge(this.origin, other.origin, options.name));
  }

  /**
   * Sends each record to the first branch whose predicate is true; others go to the branch named by `default`, or nowhere.
   *
   * Branches may also be a list, whose names are optional: the result is a list then, with the branch for the rest at its end.
   *
   * @example const { big, small } = orders.split({ big: (order) => order.cents > 100_000 }, { default: 'small' });
   */
  split<B extends string, D extends string = never>(
    branches: Readonly<{ [name in B]: Predicate<K, V> }>,
    options?: NamedOptions & { readonly default?: D },
  ): { readonly [name in B | D]: KStream<K, V> };
  split(branches: readonly Branch<K, V>[], options?: SplitOptions): readonly KStream<K, V>[];
  split(
    branches: Branches<K, V>,
    options: SplitOptions = {},
  ): { readonly [name: string]: KStream<K, V> } | readonly KStream<K, V>[] {
    return addBranches(this.origin, branches, options, (origin) => new KStream(origin));
  }

  /** Sends the records through a topic of the application, so that they come back partitioned by key, or as the options say. */
  repartition(options: RepartitionOptions<K, V> = {}): KStream<K, V> {
    return new KStream(addRepartition(this.origin, options));
  }

  /**
   * Writes the stream to a topic, which must exist.
   *
   * @param target a topic; its name, to be written with the serdes of the stream; or a function that chooses a name per record
   */
  to(target: SinkTopic<K, V> | string | TopicChooser<K, V>, options: ProducedOptions<K, V> = {}): void {
    addSink(this.origin, target as Topic<K, V> | string | TopicChooser<K, V>, options);
  }

  /** The latest value of each key as a table. A record without value deletes its row, one without key is dropped. */
  toTable(options: NamedOptions & MaterializedOptions<K, NonNullable<V>> = {}): KTable<K, NonNullable<V>> {
    return new KTable(addStreamTable(this.origin as StreamOrigin<K, NonNullable<V>>, options));
  }

  /** Groups the records by the keys that they have. */
  groupByKey(options: GroupedOptions<K, V> = {}): KGroupedStream<K, V> {
    return new KGroupedStream({
      stream: this.origin,
      key: options.key ?? this.origin.key,
      value: options.value ?? this.origin.value,
      topicName: options.name,
      repartition: undefined,
    });
  }

  /** Groups the records by new keys. Always goes through a repartition topic. */
  groupBy<K2>(selector: (value: V, key: K) => Sync<K2>, options: GroupedOptions<K2, V> = {}): KGroupedStream<K2, V> {
    const stream = addSelectKey<K, V, K2>(this.origin, selector, options);
    return new KGroupedStream({
      stream,
      key: stream.key,
      value: options.value ?? stream.value,
      topicName: options.name,
      repartition: undefined,
    });
  }

  /**
   * Joins each record with those of the other stream that have the same key and are near enough in time; or each record with
   * the row that a table has for its key at that moment; or with the row of a global table under a key that the options select.
   *
   * Both sides must be partitioned alike, unless the other is a global table. Records without key or value are dropped.
   *
   * @example orders.join(payments, (order, payment) => ({ ...order, paidAt: payment.at }), { within: '10 minutes' })
   * @example orders.join(customers, (order, customer) => ({ ...order, address: customer.address }))
   * @example orders.join(everyCustomer, (order, { name }) => ({ ...order, name }), { keySelector: ({ customer }) => customer })
   */
  join<V2, R>(
    other: KStream<K, V2>,
    joiner: Joiner<K, NonNullable<V>, NonNullable<V2>, Sync<R>>,
    options: StreamJoinOptions<K, V, V2, R>,
  ): KStream<K, R>;
  join<V2, R>(
    table: JoinableTable<K, V2>,
    joiner: Joiner<K, NonNullable<V>, V2, Sync<R>>,
    options?: TableJoinOptions<K, V, R>,
  ): KStream<K, R>;
  join<K2, V2, R>(
    table: GlobalKTable<K2, V2>,
    joiner: Joiner<K, NonNullable<V>, V2, Sync<R>>,
    options: GlobalJoinOptions<K, V, K2, R>,
  ): KStream<K, R>;
  join<K2, V2, R>(
    other: KStream<K, V2> | JoinableTable<K, V2> | GlobalKTable<K2, V2>,
    joiner: Joiner<K, never, never, Sync<R>>,
    options: StreamJoinOptions<K, V, V2, R> | TableJoinOptions<K, V, R> | GlobalJoinOptions<K, V, K2, R> = {},
  ): KStream<K, R> {
    return new KStream(addJoin('inner', this.origin, other.origin, joiner, options));
  }

  /**
   * As `join`, and each record of this stream without partner gives a result too, with an absent right side. With another
   * stream that result comes when the window and its grace have passed; with a table at once.
   */
  leftJoin<V2, R>(
    other: KStream<K, V2>,
    joiner: Joiner<K, NonNullable<V>, NonNullable<V2> | undefined, Sync<R>>,
    options: StreamJoinOptions<K, V, V2, R>,
  ): KStream<K, R>;
  leftJoin<V2, R>(
    table: JoinableTable<K, V2>,
    joiner: Joiner<K, NonNullable<V>, V2 | undefined, Sync<R>>,
    options?: TableJoinOptions<K, V, R>,
  ): KStream<K, R>;
  leftJoin<K2, V2, R>(
    table: GlobalKTable<K2, V2>,
    joiner: Joiner<K, NonNullable<V>, V2 | undefined, Sync<R>>,
    options: GlobalJoinOptions<K, V, K2, R>,
  ): KStream<K, R>;
  leftJoin<K2, V2, R>(
    other: KStream<K, V2> | JoinableTable<K, V2> | GlobalKTable<K2, V2>,
    joiner: Joiner<K, never, never, Sync<R>>,
    options: StreamJoinOptions<K, V, V2, R> | TableJoinOptions<K, V, R> | GlobalJoinOptions<K, V, K2, R> = {},
  ): KStream<K, R> {
    return new KStream(addJoin('left', this.origin, other.origin, joiner, options));
  }

  /** As `leftJoin`, for both sides: either may be absent, never both. */
  outerJoin<V2, R>(
    other: KStream<K, V2>,
    joiner: Joiner<K, NonNullable<V> | undefined, NonNullable<V2> | undefined, Sync<R>>,
    options: StreamJoinOptions<K, V, V2, R>,
  ): KStream<K, R> {
    return new KStream(addJoin('outer', this.origin, other.origin, joiner, options));
  }

  /**
   * Hands the records to a processor of your own, with stores and punctuators. It may change keys.
   *
   * @param options.key @param options.value serdes of what it forwards
   */
  process<KOut = never, VOut = never>(
    supplier: ProcessorSupplier<K, V, KOut, VOut>,
    options: ProcessOptions<KOut, VOut> = {},
  ): KStream<KOut, VOut> {
    return new KStream(addProcess(this.origin, supplier, options));
  }

  /** Hands the records to a processor in two halves: `request` takes time, `process` gets the answer, with stores and `forward`. */
  processAsync<R, KOut = never, VOut = never>(
    supplier: AsyncProcessorSupplier<K, V, R, KOut, VOut>,
    options: ProcessOptions<KOut, VOut> & AsyncOptions = {},
  ): KStream<KOut, VOut> {
    return new KStream(addProcessAsync(this.origin, supplier, options));
  }

  /** Hands the records to a processor that keeps their keys, so that nothing has to be repartitioned. */
  processValues<VOut = never>(
    supplier: FixedKeyProcessorSupplier<K, V, VOut>,
    options: ProcessOptions<K, VOut> = {},
  ): KStream<K, VOut> {
    return new KStream(addProcessValues(this.origin, supplier, options));
  }
}

/**
 * A table: the latest value of each key, as a stream of changes.
 *
 * `Deleted` is `undefined` when rows can be deleted, and `never` when they cannot: a count never loses a row.
 *
 * Source: Kafka Streams `KTable`.
 */
export class KTable<K, V, Deleted extends undefined = undefined> {
  /** @internal What operators build on. */
  readonly origin: TableOrigin<K, V>;
  /** @internal Only for the type. */
  declare readonly deleted: Deleted;

  /** @internal Tables come from `StreamsBuilder.table`, `toTable`, aggregations and operators. */
  constructor(origin: TableOrigin<K, V>) {
    this.origin = origin;
  }

  /** Name of the store in which the rows can be queried; absent unless a name was given for it. */
  get queryableStoreName(): string | undefined {
    return this.origin.queryableStoreName;
  }

  /** The rows for which the predicate is true. A row that ceases to pass is deleted. */
  filter(predicate: Predicate<K, V>, options: NamedOptions & MaterializedOptions<K, V> = {}): KTable<K, V> {
    return new KTable(addDerivedTable(this.origin, filterTable(predicate, false), options, this.origin));
  }

  /** The rows for which the predicate is false. */
  filterNot(predicate: Predicate<K, V>, options: NamedOptions & MaterializedOptions<K, V> = {}): KTable<K, V> {
    return new KTable(addDerivedTable(this.origin, filterTable(predicate, true), options, this.origin));
  }

  /**
   * The rows with new values; an absent one deletes the row. Without a store the function may be called again for look-ups:
   * it must be pure.
   */
  mapValues<R>(
    mapper: (value: V, key: K) => Sync<R>,
    options: NamedOptions & MaterializedOptions<K, NonNullable<R>> = {},
  ): KTable<K, NonNullable<R>, Deleted | Absent<R>> {
    const operation = mapTableValues(mapper as (value: V, key: K) => NonNullable<R>);
    return new KTable(addDerivedTable(this.origin, operation, options, { key: this.origin.key, value: undefined }));
  }

  /**
   * The rows with values that a transformer makes, which may use stores and is called for deletions, too; an absent result
   * deletes the row. Without a store of the result it may be called again for look-ups: then it must be pure.
   */
  transformValues<R>(
    supplier: ValueTransformerSupplier<K, V, Sync<R>>,
    options: TransformValuesOptions<K, NonNullable<R>> = {},
  ): KTable<K, NonNullable<R>, Absent<R>> {
    const operation = transformTable(supplier as ValueTransformerSupplier<K, V, NonNullable<R>>, options.stores ?? []);
    return new KTable(addDerivedTable(this.origin, operation, options, { key: this.origin.key, value: undefined }));
  }

  /**
   * Groups the rows by new keys, with new values. Always goes through a repartition topic, which carries old and new value of
   * each change; the table gets a store. A row whose pair, key or value is absent belongs to no group.
   *
   * @example customers.groupBy((customer, id) => [customer.city, id], { key: string(), value: string() }).count()
   */
  groupBy<K2, V2>(
    mapper: (value: V, key: K) => readonly [key: K2 | null | undefined, value: V2 | null | undefined] | null | undefined,
    options: GroupedOptions<K2, V2> = {},
  ): KGroupedTable<K2, V2> {
    const pairs = mapper as (value: V, key: K) => readonly [key: K2 | undefined, value: V2 | undefined];
    return new KGroupedTable(groupTable(this.origin, pairs, options));
  }

  /**
   * Joins the rows of two tables that have the same key; or, with `foreignKey`, each row of this table with the row of the other
   * one that it refers to. A change of either side gives a result, unless the other has no row; an absent result of the joiner
   * deletes the row.
   *
   * With the same key both tables must be partitioned alike. With a foreign key they need not: the rows find each other through
   * two topics of the application, and intermediate results may be skipped. Tables that are joined get stores.
   *
   * @example orders.join(shipments, (order, shipment) => ({ ...order, sentAt: shipment.at }))
   * @example orders.join(customers, (order, { city }) => ({ ...order, city }), { foreignKey: (order) => order.customer })
   */
  join<FK, V2, D2 extends undefined, R>(
    other: KTable<FK, V2, D2>,
    joiner: Joiner<K, V, V2, Sync<R>>,
    options: ForeignKeyJoinOptions<K, V, FK, NonNullable<R>>,
  ): KTable<K, NonNullable<R>>;
  join<V2, D2 extends undefined, R>(
    other: KTable<K, V2, D2>,
    joiner: Joiner<K, V, V2, Sync<R>>,
    options?: JoinTablesOptions<K, NonNullable<R>>,
  ): KTable<K, NonNullable<R>, Deleted | D2 | Absent<R>>;
  join<FK, V2, D2 extends undefined, R>(
    other: KTable<FK, V2, D2>,
    joiner: Joiner<K, V, V2, Sync<R>>,
    options: JoinTablesOptions<K, NonNullable<R>> | ForeignKeyJoinOptions<K, V, FK, NonNullable<R>> = {},
  ): KTable<K, NonNullable<R>> {
    return new KTable(joinWithTable('inner', this.origin, other.origin, joiner, options));
  }

  /**
   * As `join`, and rows of this table without partner give a result too, with an absent right side; also those whose foreign key
   * is absent.
   */
  leftJoin<FK, V2, D2 extends undefined, R>(
    other: KTable<FK, V2, D2>,
    joiner: Joiner<K, V, V2 | undefined, Sync<R>>,
    options: ForeignKeyJoinOptions<K, V, FK, NonNullable<R>>,
  ): KTable<K, NonNullable<R>, Deleted | Absent<R>>;
  leftJoin<V2, D2 extends undefined, R>(
    other: KTable<K, V2, D2>,
    joiner: Joiner<K, V, V2 | undefined, Sync<R>>,
    options?: JoinTablesOptions<K, NonNullable<R>>,
  ): KTable<K, NonNullable<R>, Deleted | Absent<R>>;
  leftJoin<FK, V2, D2 extends undefined, R>(
    other: KTable<FK, V2, D2>,
    joiner: Joiner<K, V, V2 | undefined, Sync<R>>,
    options: JoinTablesOptions<K, NonNullable<R>> | ForeignKeyJoinOptions<K, V, FK, NonNullable<R>> = {},
  ): KTable<K, NonNullable<R>, Deleted | Absent<R>> {
    return new KTable(joinWithTable('left', this.origin, other.origin, joiner, options));
  }

  /** As `leftJoin`, for both sides: either may be absent, never both. */
  outerJoin<V2, D2 extends undefined, R>(
    other: KTable<K, V2, D2>,
    joiner: Joiner<K, V | undefined, V2 | undefined, Sync<R>>,
    options: JoinTablesOptions<K, NonNullable<R>> = {},
  ): KTable<K, NonNullable<R>, Deleted | D2 | Absent<R>> {
    return new KTable(joinWithTable('outer', this.origin, other.origin, joiner, options));
  }

  /**
   * Holds changes back: until the window of a result has closed, or for a time. Of several changes of a row that wait, only the
   * last is passed on. What waits is let go by stream time alone: by further records, never by the clock.
   *
   * @example counts.suppress(untilWindowCloses()).toStream()
   * @example totals.suppress(untilTimeLimit('5 minutes', { maxRecords: 10_000, whenFull: 'emitEarly' }))
   */
  suppress(until: Suppressed<K>, options: SuppressOptions<K, V> = {}): KTable<K, V, Deleted> {
    return new KTable(suppressTable(this.origin, until, options));
  }

  /** The changes as a stream: the new value of each, absent where a row was deleted. */
  toStream(options: NamedOptions = {}): KStream<K, V | Deleted> {
    return new KStream(addToStream(this.origin, options.name) as StreamOrigin<K, V | Deleted>);
  }
}

/**
 * Rows of a table grouped by new keys, ready to be aggregated. When a row changes, its old value leaves its group before the new
 * one enters its own; if these are two groups, they change one after the other.
 *
 * Rows of the results can be deleted, also those of a count: a value may leave a group that has no aggregate (yet), which is
 * sent as the deletion of a row that was never there.
 *
 * Source: Kafka Streams `KGroupedTable`.
 */
export class KGroupedTable<K, V> {
  /** @internal What operators build on. */
  readonly origin: GroupedTableOrigin<K, V>;

  /** @internal Groups come from `KTable.groupBy`. */
  constructor(origin: GroupedTableOrigin<K, V>) {
    this.origin = origin;
  }

  /** Counts the rows of each group. A group whose last row left has the count 0. Written as an int64. */
  count(options: AggregateOptions<K, number> = {}): KTable<K, number> {
    return new KTable(aggregateTable(this.origin, tableCountCall(options)));
  }

  /**
   * Combines the values of each group; the first one is kept as it is. An absent result deletes the row.
   *
   * @param adder @param subtractor give the aggregate with a value that enters or leaves the group
   */
  reduce(
    adder: (aggregate: V, value: V) => V | null | undefined,
    subtractor: (aggregate: V, value: V) => V | null | undefined,
    options: AggregateOptions<K, V> = {},
  ): KTable<K, V> {
    const call = tableReduceCall<K, V>(adder as Reducer<V>, subtractor as Reducer<V>, options, this.origin.value);
    return new KTable(aggregateTable(this.origin, call));
  }

  /**
   * Folds the values of each group into an aggregate. An absent result deletes the row.
   *
   * @param initializer a new aggregate each time, for a group without one
   * @param adder @param subtractor give the aggregate with a value that enters or leaves the group
   * @example grouped.aggregate(() => 0, (sum, one) => sum + one, (sum, one) => sum - one, { value: int64() })
   */
  aggregate<A>(
    initializer: Initializer<A>,
    adder: (aggregate: A, value: V, key: K) => A | null | undefined,
    subtractor: (aggregate: A, value: V, key: K) => A | null | undefined,
    options: AggregateOptions<K, A> = {},
  ): KTable<K, A> {
    const call = tableAggregateCall(initializer, adder as Aggregator<K, V, A>, subtractor as Aggregator<K, V, A>, options);
    return new KTable(aggregateTable(this.origin, call));
  }
}

/** A table, whether its rows can be deleted or not. */
export type JoinableTable<K, V> = KTable<K, V> | KTable<K, V, never>;

/** `undefined` when the type admits an absent value. */
export type Absent<V> = [null] extends [V] ? undefined : [undefined] extends [V] ? undefined : never;

/**
 * Records grouped by key, ready to be aggregated. Records without key or value are dropped by the aggregations here.
 *
 * Source: Kafka Streams `KGroupedStream`.
 */
export class KGroupedStream<K, V> {
  /** @internal What operators build on. */
  readonly origin: GroupedOrigin<K, V>;

  /** @internal Groups come from `groupByKey` and `groupBy`. */
  constructor(origin: GroupedOrigin<K, V>) {
    this.origin = origin;
  }

  /** Counts the records of each key. Written as an int64. */
  count(options: AggregateOptions<K, number> = {}): KTable<K, number, never> {
    return new KTable(aggregateByKey(this.origin, countCall(options)));
  }

  /** Combines the values of each key; the first one is kept as it is. An absent result deletes the row. */
  reduce<R extends V | undefined = V>(
    reducer: (aggregate: NonNullable<V>, value: NonNullable<V>) => R,
    options: AggregateOptions<K, V> = {},
  ): KTable<K, NonNullable<V>, Absent<R>> {
    return new KTable(aggregateByKey(this.origin, reduceCall(reducer, options, this.origin.value)));
  }

  /**
   * Folds the values of each key into an aggregate. An absent result deletes the row.
   *
   * @param initializer a new aggregate each time, for a key without row
   * @example orders.groupByKey().aggregate(() => 0, (total, order) => total + order.cents, { value: int64() })
   */
  aggregate<A, R extends A | undefined = A>(
    initializer: Initializer<A>,
    aggregator: (aggregate: A, value: NonNullable<V>, key: NonNullable<K>) => R,
    options: AggregateOptions<K, A> = {},
  ): KTable<K, A, Absent<R>> {
    return new KTable(aggregateByKey(this.origin, aggregateCall(initializer, aggregator, options)));
  }

  /**
   * Groups by window of time too: tumbling, hopping, unlimited, sliding, or sessions.
   *
   * @param options.emit whether each update of a window is a result, or only its last one
   * @throws TopologyError `WINDOW_NEVER_CLOSES` when only last results of unlimited windows are wanted
   * @example grouped.windowedBy(TimeWindows.ofSize('1 hour'), { emit: 'on-window-close' }).count()
   */
  windowedBy(windows: TimeWindows | UnlimitedWindows, options?: WindowedOptions): TimeWindowedKStream<K, V>;
  windowedBy(windows: SlidingWindows, options?: WindowedOptions): TimeWindowedKStream<K, NonNullable<V>>;
  windowedBy(windows: SessionWindows, options?: WindowedOptions): SessionWindowedKStream<K, V>;
  windowedBy(
    windows: FixedWindows | SessionWindows,
    options: WindowedOptions = {},
  ): TimeWindowedKStream<K, V> | SessionWindowedKStream<K, V> {
    const emit = resolveEmit(windows, options);
    if (windows instanceof SessionWindows) return new SessionWindowedKStream(this.origin, windows, emit);
    return new TimeWindowedKStream(this.origin, windows, emit);
  }

  /**
   * Begins an aggregate that several grouped streams add to, each in its own way.
   *
   * @param aggregator adds a record of this stream; without windows it gets no absent values
   * @example
   * orders.groupByKey()
   *   .cogroup<Account>((account, order) => ({ ...account, spent: account.spent + order.cents }))
   *   .cogroup(payments.groupByKey(), (account, payment) => ({ ...account, paid: account.paid + payment.cents }))
   *   .aggregate(() => ({ spent: 0, paid: 0 }), { value: json<Account>() });
   */
  cogroup<A>(aggregator: (aggregate: A, value: V, key: NonNullable<K>) => A | undefined): CogroupedKStream<K, A> {
    return new CogroupedKStream(withInput<K, V, A>(new Map(), this.origin, aggregator));
  }
}

/**
 * Records grouped by key and time window. Records without key are dropped; an absent value is given to the aggregation, or, by
 * sliding windows, dropped too.
 *
 * Source: Kafka Streams `TimeWindowedKStream`.
 */
export class TimeWindowedKStream<K, V> {
  readonly #grouped: GroupedOrigin<K, V>;
  readonly #windows: FixedWindows;
  readonly #emit: Emit;

  /** @internal */
  constructor(grouped: GroupedOrigin<K, V>, windows: FixedWindows, emit: Emit) {
    this.#grouped = grouped;
    this.#windows = windows;
    this.#emit = emit;
  }

  /** Counts the records of each key and window. */
  count(options: AggregateOptions<K, number> = {}): KTable<WindowedKey<K>, number, never> {
    return new KTable(aggregateByFixedWindow(this.#grouped, this.#windows, this.#emit, countCall(options)));
  }

  /** Combines the values of each key and window; the first one is kept as it is. */
  reduce<R extends V | undefined = V>(
    reducer: (aggregate: NonNullable<V>, value: V) => R,
    options: AggregateOptions<K, V> = {},
  ): KTable<WindowedKey<K>, NonNullable<V>, Absent<R>> {
    const call = reduceCall(reducer, options, this.#grouped.value);
    return new KTable(aggregateByFixedWindow(this.#grouped, this.#windows, this.#emit, call));
  }

  /** Folds the values of each key and window into an aggregate. */
  aggregate<A, R extends A | undefined = A>(
    initializer: Initializer<A>,
    aggregator: (aggregate: A, value: V, key: NonNullable<K>) => R,
    options: AggregateOptions<K, A> = {},
  ): KTable<WindowedKey<K>, A, Absent<R>> {
    const call = aggregateCall<K, V, A>(initializer, aggregator, options);
    return new KTable(aggregateByFixedWindow(this.#grouped, this.#windows, this.#emit, call));
  }
}

/**
 * Records grouped by key and session. When sessions merge, the rows of the old ones are deleted.
 *
 * Source: Kafka Streams `SessionWindowedKStream`.
 */
export class SessionWindowedKStream<K, V> {
  readonly #grouped: GroupedOrigin<K, V>;
  readonly #windows: SessionWindows;
  readonly #emit: Emit;

  /** @internal */
  constructor(grouped: GroupedOrigin<K, V>, windows: SessionWindows, emit: Emit) {
    this.#grouped = grouped;
    this.#windows = windows;
    this.#emit = emit;
  }

  /** Counts the records of each session. */
  count(options: AggregateOptions<K, number> = {}): KTable<WindowedKey<K>, number> {
    return new KTable(aggregateBySession(this.#grouped, this.#windows, this.#emit, countCall(options)));
  }

  /** Combines the values of each session; also combines sessions that merge. */
  reduce(
    reducer: (aggregate: NonNullable<V>, value: V) => V,
    options: AggregateOptions<K, V> = {},
  ): KTable<WindowedKey<K>, NonNullable<V>> {
    const call = reduceCall(reducer, options, this.#grouped.value);
    return new KTable(aggregateBySession(this.#grouped, this.#windows, this.#emit, call));
  }

  /**
   * Folds the values of each session into an aggregate.
   *
   * @param merger combines the aggregates of two sessions that turned out to be one
   */
  aggregate<A>(
    initializer: Initializer<A>,
    aggregator: (aggregate: A, value: V, key: NonNullable<K>) => A | undefined,
    merger: SessionMerger<K, A>,
    options: AggregateOptions<K, A> = {},
  ): KTable<WindowedKey<K>, A> {
    const call = aggregateCall<K, V, A>(initializer, aggregator, options, merger);
    return new KTable(aggregateBySession(this.#grouped, this.#windows, this.#emit, call));
  }
}

/**
 * Several grouped streams that add to one aggregate per key. Records without key or value are dropped.
 *
 * Each stream judges by its own records how far time has come. Immutable: `cogroup` gives a new one.
 *
 * Source: Kafka Streams `CogroupedKStream`.
 */
export class CogroupedKStream<K, A> {
  readonly #inputs: CogroupInputs<K, A>;

  /** @internal Comes from `KGroupedStream.cogroup`. */
  constructor(inputs: CogroupInputs<K, A>) {
    this.#inputs = inputs;
  }

  /** Adds a stream. Its keys must be of the same type and partitioned alike. */
  cogroup<V>(
    grouped: KGroupedStream<K, V>,
    aggregator: (aggregate: A, value: V, key: NonNullable<K>) => A | undefined,
  ): CogroupedKStream<K, A> {
    return new CogroupedKStream(withInput<K, V, A>(this.#inputs, grouped.origin, aggregator));
  }

  /**
   * The aggregate of each key. An absent result of an aggregator deletes the row.
   *
   * Streams with new keys go through repartition topics; when there are two of them, name them where they are grouped.
   */
  aggregate(initializer: Initializer<A>, options: AggregateOptions<K, A> = {}): KTable<K, A> {
    return new KTable(addCogroup(this.#inputs, cogroupCall(initializer, options), keyShape));
  }

  /** One aggregate per key and window of time. Results are always emitted with each update. */
  windowedBy(windows: FixedWindows): TimeWindowedCogroupedKStream<K, A>;
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedKStream<K, A>;
  windowedBy(windows: FixedWindows | SessionWindows): TimeWindowedCogroupedKStream<K, A> | SessionWindowedCogroupedKStream<K, A> {
    if (windows instanceof SessionWindows) return new SessionWindowedCogroupedKStream(this.#inputs, windows);
    return new TimeWindowedCogroupedKStream(this.#inputs, windows);
  }
}

/** Several grouped streams that add to one aggregate per key and window. Source: Kafka Streams `TimeWindowedCogroupedKStream`. */
export class TimeWindowedCogroupedKStream<K, A> {
  readonly #inputs: CogroupInputs<K, A>;
  readonly #windows: FixedWindows;

  /** @internal */
  constructor(inputs: CogroupInputs<K, A>, windows: FixedWindows) {
    this.#inputs = inputs;
    this.#windows = windows;
  }

  /** The aggregate of each key and window. */
  aggregate(initializer: Initializer<A>, options: AggregateOptions<K, A> = {}): KTable<WindowedKey<K>, A> {
    const call = cogroupCall(initializer, options);
    return new KTable(
      addCogroup(this.#inputs, call, (resolved) => fixedWindowShape(resolved, this.#windows, 'on-window-update')),
    );
  }
}

/** Several grouped streams that add to one aggregate per session. Source: Kafka Streams `SessionWindowedCogroupedKStream`. */
export class SessionWindowedCogroupedKStream<K, A> {
  readonly #inputs: CogroupInputs<K, A>;
  readonly #windows: SessionWindows;

  /** @internal */
  constructor(inputs: CogroupInputs<K, A>, windows: SessionWindows) {
    this.#inputs = inputs;
    this.#windows = windows;
  }

  /**
   * The aggregate of each session.
   *
   * @param merger combines the aggregates of two sessions that turned out to be one
   */
  aggregate(
    initializer: Initializer<A>,
    merger: SessionMerger<K, A>,
    options: AggregateOptions<K, A> = {},
  ): KTable<WindowedKey<K>, A> {
    const call = cogroupCall(initializer, options, merger);
    return new KTable(addCogroup(this.#inputs, call, (resolved) => sessionShape(resolved, this.#windows, 'on-window-update')));
  }
}
