import { assertTopicName, type Serde, type TimestampExtractor, type Topic, TopologyError } from '@millrace/core';
import { type StateStore, type StoreBuilder, withoutLogging } from '@millrace/state';
import { describeTopology } from '../describe/describe-topology.ts';
import type { NodeProcessorSupplier } from '../node/node-processor.ts';
import type { StreamPartitioner, TopicNameExtractor } from '../node/task-port.ts';
import { planTopology } from '../plan/plan-topology.ts';
import type { GlobalStoreSpec, OffsetReset, RepartitionTopicSpec, SinkSpec, SourceSpec, TopologyPlan } from '../plan/specs.ts';
import { type AsyncOptions, resolveAsyncOptions } from '../processor/async-options.ts';
import type { AsyncProcessorSupplier } from '../processor/async-processor.ts';
import { assertFreshProcessors } from '../processor/checked-supplier.ts';
import type { ProcessorSupplier } from '../processor/processor.ts';
import { asyncProcessorNodeSupplier } from '../processor/user-async-processor.ts';
import { processorNodeSupplier } from '../processor/user-processor.ts';
import { assertName } from './assert-name.ts';
import { NodeRegistry } from './node-registry.ts';
import { SourceRegistry } from './source-registry.ts';
import { StoreRegistry } from './store-registry.ts';
import type { TopologyDefinition } from './topology-definition.ts';

/** One topic, several, or all whose whole name matches a pattern (without the flags `g` and `y`). */
export type TopicSelection<K, V> = string | Topic<K, V> | readonly (string | Topic<K, V>)[] | RegExp;

export interface SourceOptions<K, V> {
  /** Serde of the keys; default: that of the topic, else raw bytes. */
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
  /** Default: the record's own timestamp; a record without one stops the worker. */
  readonly timestampExtractor?: TimestampExtractor<K, V>;
  /** Where to start without a committed offset; default: the application's setting. */
  readonly offsetReset?: OffsetReset;
}

export interface SinkOptions<K, V> {
  /** Serde of the keys; default: that of the topic, else raw bytes. */
  readonly key?: Serde<K>;
  readonly value?: Serde<V>;
  /** Default: murmur2 of the key's bytes, as every Kafka client does. */
  readonly partitioner?: StreamPartitioner<K, V>;
}

/**
 * A topology put together by hand: sources read topics, processors handle records, sinks write topics. The DSL
 * (`StreamsBuilder` in `@millrace/dsl`) makes its result with this same class.
 *
 * Whatever is wrong is found by the call that adds it, and thrown as a TopologyError; nothing is added then.
 *
 * Source: Kafka Streams `Topology`, `InternalTopologyBuilder`.
 *
 * @example
 * const topology = new Topology()
 *   .addSource('lines', topic('lines', { key: string(), value: string() }))
 *   .addProcessor('split', splitIntoWords, ['lines'])
 *   .addSink('words', topic('words', { key: string(), value: string() }), ['split']);
 */
export class Topology {
  readonly #nodes = new NodeRegistry();
  readonly #sources = new SourceRegistry();
  readonly #stores = new StoreRegistry();
  readonly #globalStores: GlobalStoreSpec[] = [];
  readonly #repartitionTopics = new Map<string, RepartitionTopicSpec>();
  readonly #copartitionGroups: (readonly string[])[] = [];
  #plan: TopologyPlan | undefined;

  /** Reads topics. Each topic may be read by one source only. */
  addSource<K, V>(name: string, topics: TopicSelection<K, V>, options: SourceOptions<K, V> = {}): this {
    return this.addSourceSpec(sourceSpec(name, topics, options));
  }

  /**
   * Handles records of its parents. The stores named, and those that the supplier itself brings, are connected to it.
   *
   * @param parents names of sources and processors, at least one
   */
  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
    parents: readonly string[],
    options: { readonly stores?: readonly string[] } = {},
  ): this {
    return this.#addProcessor(name, supplier, processorNodeSupplier(supplier), parents, options.stores);
  }

  /**
   * Handles records of its parents in two halves: `request` takes time, for several records side by side; `process` gets the
   * answers one by one. See `AsyncProcessor`. Kafka Streams has nothing like it.
   *
   * @param parents names of sources and processors, at least one
   * @throws TopologyError also `INVALID_ASYNC_OPTIONS`
   *
   * @example topology.addAsyncProcessor('score', scored, ['orders'], { stores: ['worst'], concurrency: 8, timeoutMs: 2000 });
   */
  addAsyncProcessor<KIn, VIn, R, KOut, VOut>(
    name: string,
    supplier: AsyncProcessorSupplier<KIn, VIn, R, KOut, VOut>,
    parents: readonly string[],
    options: { readonly stores?: readonly string[] } & AsyncOptions = {},
  ): this {
    const node = asyncProcessorNodeSupplier(supplier, resolveAsyncOptions(options, name));
    return this.#addProcessor(name, supplier, node, parents, options.stores);
  }

  #addProcessor(
    name: string,
    supplier: (() => object) & { readonly stores?: readonly StoreBuilder[] },
    node: NodeProcessorSupplier,
    parents: readonly string[],
    stores: readonly string[] = [],
  ): this {
    assertFreshProcessors(supplier, name);
    this.addNode(name, node, parents);
    for (const builder of supplier.stores ?? []) this.addStateStore(builder, [name]);
    return this.connectProcessorAndStateStores(name, stores);
  }

  /** Writes the records of its parents to a topic, or to the one that a function chooses for each record. */
  addSink<K, V>(
    name: string,
    topic: string | Topic<K, V> | TopicNameExtractor<K, V>,
    parents: readonly string[],
    options: SinkOptions<K, V> = {},
  ): this {
    const fixed = typeof topic === 'function' ? undefined : topicName(topic);
    const serdes = typeof topic === 'object' ? topic : undefined;
    return this.addSinkSpec({
      kind: 'sink',
      name,
      topic: fixed ?? (topic as TopicNameExtractor<unknown, unknown>),
      keySerde: (options.key ?? serdes?.key) as Serde<unknown> | undefined,
      valueSerde: (options.value ?? serdes?.value) as Serde<unknown> | undefined,
      partitioner: options.partitioner as StreamPartitioner<unknown, unknown> | undefined,
      parents,
    });
  }

  /** Adds a store and connects it to processors. The same builder may be added again, for further processors. */
  addStateStore(builder: StoreBuilder<StateStore>, processors: readonly string[] = []): this {
    assertName(builder.name, 'store');
    for (const processor of processors) this.#nodes.assertProcessor(processor, builder.name);
    this.#stores.add(builder);
    for (const processor of processors) this.#stores.connect(builder.name, processor);
    return this.#changed();
  }

  /** Lets a processor use stores that were added before. Processors that share a store run in the same task. */
  connectProcessorAndStateStores(processor: string, stores: readonly string[]): this {
    for (const store of stores) {
      this.#nodes.assertProcessor(processor, store);
      this.#stores.connect(store, processor);
    }
    return this.#changed();
  }

  /**
   * Adds a store of which every worker holds all partitions of a topic. The processor puts the records into the store, and
   * does so again when the store is restored. The builder must have logging off: the topic is the changelog.
   */
  addGlobalStore<K, V>(
    builder: StoreBuilder<StateStore>,
    source: { readonly name: string; readonly topic: string | Topic<K, V> } & SourceOptions<K, V>,
    processor: { readonly name: string; readonly supplier: ProcessorSupplier<K, V> },
  ): this {
    assertFreshProcessors(processor.supplier, processor.name);
    return this.addGlobalStoreSpec({
      builder,
      source: sourceSpec(source.name, source.topic, source),
      processor: {
        kind: 'processor',
        name: processor.name,
        supplier: processorNodeSupplier(processor.supplier),
        parents: [source.name],
      },
      reprocessOnRestore: true,
    });
  }

  /**
   * Adds a store of which each task holds its partition of a topic, filled by a processor of its own. Other processors are
   * connected to it by name, and should only read it: what they write is lost with the task.
   *
   * The topic is the changelog, whatever the builder says of logging, and is read from its beginning. A restore loads keys and
   * values from it as they are, without the processor: that one has to put them as they come, and the serdes of topic and store
   * have to write the same bytes.
   *
   * Source: Kafka Streams `Topology.addReadOnlyStateStore`, KIP-813.
   *
   * @example
   * const keep: ProcessorSupplier<string, Price> = () => {
   *   let prices: KeyValueStore<string, Price>;
   *   return {
   *     init: (context) => { prices = context.getStateStore('prices'); },
   *     process: ({ key, value }) => prices.put(key, value),
   *   };
   * };
   * topology
   *   .addReadOnlyStateStore(keyValueStore('prices', string(), json<Price>()), { name: 'prices-in', topic: 'prices' }, { name: 'keep', supplier: keep })
   *   .addProcessor('price', price, ['orders'], { stores: ['prices'] });
   */
  addReadOnlyStateStore<K, V>(
    builder: StoreBuilder<StateStore>,
    source: { readonly name: string; readonly topic: string | Topic<K, V> } & Omit<SourceOptions<K, V>, 'offsetReset'>,
    processor: { readonly name: string; readonly supplier: ProcessorSupplier<K, V> },
  ): this {
    assertName(builder.name, 'store');
    this.#stores.assertFree(builder.name);
    this.#nodes.assertFree(processor.name);
    if (source.name === processor.name) throwSameName(source.name, builder.name);
    assertFreshProcessors(processor.supplier, processor.name);
    return this.addSourceSpec({ ...sourceSpec(source.name, source.topic, source), offsetReset: 'earliest' })
      .addNode(processor.name, processorNodeSupplier(processor.supplier), [source.name])
      .addStateStore(withoutLogging(builder), [processor.name])
      .useSourceTopicAsChangelog(builder.name, topicName(source.topic));
  }

  // ---- for the DSL ----

  /** Adds a source given as data; topics that it names may be internal ones. */
  addSourceSpec(spec: SourceSpec): this {
    assertSource(spec);
    this.#nodes.assertFree(spec.name);
    this.#sources.add(spec);
    this.#nodes.add(spec);
    return this.#changed();
  }

  /** Adds a processor that is written in the form of the DSL's operators. */
  addNode(name: string, supplier: NodeProcessorSupplier, parents: readonly string[]): this {
    this.#nodes.add({ kind: 'processor', name, supplier, parents });
    return this.#changed();
  }

  addSinkSpec(spec: SinkSpec): this {
    if (typeof spec.topic === 'string') assertTopicName(spec.topic);
    this.#nodes.add(spec);
    return this.#changed();
  }

  addGlobalStoreSpec(spec: GlobalStoreSpec): this {
    const { builder, source, processor } = spec;
    assertName(builder.name, 'store');
    assertSource(source);
    if (builder.loggingEnabled) {
      throw new TopologyError(
        'GLOBAL_STORE_LOGGED',
        `global store ${builder.name} has a changelog; switch its logging off, its topic serves as one`,
        {
          store: builder.name,
        },
      );
    }
    if (source.name === processor.name) throwSameName(source.name, builder.name);
    this.#nodes.assertFree(source.name);
    this.#nodes.assertFree(processor.name);
    this.#stores.addGlobal(builder.name);
    this.#sources.add(source);
    this.#nodes.reserve(source.name);
    this.#nodes.reserve(processor.name);
    this.#globalStores.push(spec);
    return this.#changed();
  }

  /**
   * Declares a topic as internal: it gets the application's prefix and is created by the application.
   *
   * @param name without prefix, ends in `-repartition`
   * @param partitions the user's count; otherwise it follows from the sources
   */
  addRepartitionTopic(name: string, partitions?: number): this {
    const known = this.#repartitionTopics.get(name);
    if (known !== undefined && known.partitions !== partitions) {
      throw new TopologyError(
        'REPARTITION_TOPIC_EXISTS',
        `repartition topic ${name} is wanted with ${known.partitions ?? 'derived'} and with ${partitions ?? 'derived'} partitions; use another name for one`,
        { topic: name },
      );
    }
    this.#repartitionTopics.set(name, { name, partitions });
    return this.#changed();
  }

  /** Demands equal partition counts of all topics that these sources read. */
  copartitionSources(sources: readonly string[]): this {
    this.#copartitionGroups.push([...sources]);
    return this.#changed();
  }

  /** Restores the store from this source topic instead of a changelog of its own. */
  useSourceTopicAsChangelog(store: string, topic: string): this {
    this.#stores.useSourceAsChangelog(store, topic);
    return this.#changed();
  }

  // ---- results ----

  /**
   * The topology as text, exactly in Kafka Streams' format, so that tools for it understand it. Order of the names in
   * `(topics: […])` and `(stores: […])` has no meaning there; here they stand in the order in which they were added.
   */
  describe(): string {
    return describeTopology(this.definition());
  }

  /** The topology cut into sub-topologies: what the runtime works with. */
  plan(): TopologyPlan {
    this.#plan ??= planTopology(this.definition());
    return this.#plan;
  }

  /** Everything that was added, as data. */
  definition(): TopologyDefinition {
    return {
      nodes: this.#nodes.all,
      stores: this.#stores.all,
      globalStores: [...this.#globalStores],
      repartitionTopics: [...this.#repartitionTopics.values()],
      copartitionGroups: [...this.#copartitionGroups],
      sourceOrder: this.#sources.names,
    };
  }

  #changed(): this {
    this.#plan = undefined;
    return this;
  }
}

function throwSameName(node: string, store: string): never {
  throw new TopologyError('NODE_EXISTS', `source and processor of store ${store} are both named ${node}; give one another name`, {
    node,
    store,
  });
}

function sourceSpec<K, V>(name: string, topics: TopicSelection<K, V>, options: SourceOptions<K, V>): SourceSpec {
  const list =
    topics instanceof RegExp
      ? []
      : Array.isArray(topics)
        ? (topics as (string | Topic<K, V>)[])
        : [topics as string | Topic<K, V>];
  const typed = list.find((entry) => typeof entry === 'object');
  return {
    kind: 'source',
    name,
    topics: topics instanceof RegExp ? topics : list.map(topicName),
    keySerde: (options.key ?? typed?.key) as Serde<unknown> | undefined,
    valueSerde: (options.value ?? typed?.value) as Serde<unknown> | undefined,
    timestampExtractor: options.timestampExtractor as TimestampExtractor | undefined,
    offsetReset: options.offsetReset,
  };
}

function topicName<K, V>(topic: string | Topic<K, V>): string {
  return typeof topic === 'string' ? topic : topic.name;
}

function assertSource(spec: SourceSpec): void {
  if (spec.topics instanceof RegExp) {
    if (!spec.topics.global && !spec.topics.sticky) return;
    throw new TopologyError('INVALID_PATTERN', `the pattern of source ${spec.name} has the flag g or y; leave it out`, {
      node: spec.name,
    });
  }
  if (spec.topics.length === 0)
    throw new TopologyError('NO_TOPIC', `source ${spec.name} reads no topic; name at least one`, { node: spec.name });
  for (const topic of spec.topics) assertTopicName(topic);
}
