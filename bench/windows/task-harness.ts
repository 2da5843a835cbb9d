import { MetricsRegistry, silentLogger, systemClock, systemRandom } from '@millrace/core';
import type { BatchAppender, FetchedBatch, TopicHandle } from '@millrace/client';
import { StreamTask } from '@millrace/runtime';
import type { OpenDatabaseOptions, StateDatabase, StateEngine } from '@millrace/state';
import { levelDbEngine } from '@millrace/state-leveldb';
import { RecordBatchBuilder, RecordBatchIterator } from '@millrace/wire';
import type { Topology } from 'millrace';

const CACHE_MAX_BYTES = 10 * 1024 * 1024;
/** Bytes of a batch before its records. */
const HEADER_BYTES = 61;
const BUFFERED_BYTES = 32 * 1024 * 1024;

/** A record of an input topic. */
export interface InputRecord {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

export interface TaskHarnessOptions {
  readonly directory: string;
  readonly writeBufferBytes: number;
  readonly cleanCacheBytes: number;
}

/** The one task of a topology on LevelDB, without a broker: what it writes is counted and forgotten. */
export class TaskHarness implements AsyncDisposable {
  readonly #task: StreamTask;
  readonly #output: CountingAppender;
  readonly #engine: ObservedEngine;
  readonly #builder = new RecordBatchBuilder();
  readonly #positions = new Map<string, number>();

  private constructor(task: StreamTask, output: CountingAppender, engine: ObservedEngine) {
    this.#task = task;
    this.#output = output;
    this.#engine = engine;
  }

  static async open(topology: Topology, options: TaskHarnessOptions): Promise<TaskHarness> {
    const { directory, writeBufferBytes, cleanCacheBytes } = options;
    const [subtopology, ...others] = topology.plan().subtopologies;
    if (subtopology === undefined || others.length > 0) throw new Error('give a topology with one sub-topology');
    const output = new CountingAppender();
    const engine = new ObservedEngine(levelDbEngine({ writeBufferBytes }));
    const inputPartitions = subtopology.sourceTopics.map((topic) => ({ topic, partition: 0 }));
    const task = await StreamTask.open({
      id: { subtopology: 0, partition: 0 },
      subtopology,
      inputPartitions,
      settings: {
        applicationId: 'flatness',
        guarantee: 'exactly_once_v2',
        maxTaskIdleMs: 0,
        bufferedBytesPerPartition: BUFFERED_BYTES,
        cacheMaxBytes: CACHE_MAX_BYTES,
        emitIntervalMs: 1000,
      },
      components: {
        engine,
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
        metrics: new MetricsRegistry(),
      },
      directory,
      appender: output,
      progress: { position: () => 0, bounds: () => ({ highWatermark: 0, lastStableOffset: 0 }) },
      cleanCacheBytes,
    });
    await task.finishRestore();
    task.initializeInput(inputPartitions.map((input) => ({ ...input, offset: 0, metadata: '' })));
    return new TaskHarness(task, output, engine);
  }

  /** Records that the topology has written: results and changelogs. */
  get written(): number {
    return this.#output.written;
  }

  /** Adds records to an input topic, as one batch. */
  enqueue(topic: string, records: readonly InputRecord[]): void {
    const fetchOffset = this.#positions.get(topic) ?? 0;
    const nextOffset = fetchOffset + records.length;
    const batches = [this.#batch(records, fetchOffset)];
    this.#positions.set(topic, nextOffset);
    const bounds = { highWatermark: nextOffset, lastStableOffset: nextOffset, logStartOffset: 0 };
    const byteLength = batches[0]?.buffer.length ?? 0;
    this.#task.enqueue({ topic, partition: 0, fetchOffset, nextOffset, hasGaps: false, batches, byteLength, ...bounds });
  }

  #batch(records: readonly InputRecord[], baseOffset: number): FetchedBatch {
    const builder = this.#builder;
    builder.reset();
    for (const { key, value, timestamp } of records)
      builder.appendRecord({ timestamp, key: Buffer.from(key), value: Buffer.from(value) });
    // The builder goes on with its buffer; the batch is read later.
    const buffer = Buffer.from(builder.finish());
    const iterator = new RecordBatchIterator({ checkCrc: false });
    iterator.open(buffer);
    iterator.next();
    const { header } = iterator;
    header.baseOffset = baseOffset;
    return { buffer, header, recordsStart: header.position + HEADER_BYTES, recordsEnd: header.position + header.sizeInBytes };
  }

  /** Processes what has been added, and commits it. */
  async commit(): Promise<void> {
    const task = this.#task;
    while (task.process(Number.MAX_SAFE_INTEGER, Infinity) > 0);
    task.punctuate();
    task.flushCaches();
    task.prepareCommit();
    await task.completeCommit();
  }

  /** Bytes of all rows of the database: keys and values. */
  storedBytes(): Promise<number> {
    return this.#engine.storedBytes();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#task.close({ clean: true });
  }
}

/** An engine of which the database that it has opened last can be looked at. */
class ObservedEngine implements StateEngine {
  readonly name: string;
  readonly persistent: boolean;
  readonly #engine: StateEngine;
  #database: StateDatabase | undefined;

  constructor(engine: StateEngine) {
    this.name = engine.name;
    this.persistent = engine.persistent;
    this.#engine = engine;
  }

  async open(options: OpenDatabaseOptions): Promise<StateDatabase> {
    this.#database = await this.#engine.open(options);
    return this.#database;
  }

  /** Bytes of all rows: keys and values. */
  async storedBytes(): Promise<number> {
    let bytes = 0;
    for await (const [key, value] of this.#database?.entries({}) ?? []) bytes += key.length + value.length;
    return bytes;
  }

  quarantine(directory: string): Promise<void> {
    return this.#engine.quarantine(directory);
  }

  destroy(directory: string): Promise<void> {
    return this.#engine.destroy(directory);
  }
}

/** A producer whose records nobody reads. */
class CountingAppender implements BatchAppender {
  readonly backPressure = false;
  readonly bufferedBytes = 0;
  written = 0;
  readonly #handles = new Map<string, TopicHandle>();

  topic(name: string): Promise<TopicHandle> {
    return Promise.resolve(this.knownTopic(name));
  }

  knownTopic(name: string): TopicHandle {
    const handle = this.#handles.get(name) ?? { topic: name, partitions: 1 };
    this.#handles.set(name, handle);
    return handle;
  }

  append(): void {
    this.written++;
  }

  async drained(): Promise<void> {
    // Nothing is ever in flight.
  }

  endOffset(): number {
    return this.written;
  }

  takeFailure(): undefined {
    return undefined;
  }
}
