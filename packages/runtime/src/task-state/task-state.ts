import { FatalStreamsError, topicPartitionKey, type Logger, type RecordContext } from '@millrace/core';
import type { BatchAppender, FetchedPartition, OffsetCommit } from '@millrace/client';
import { memoryEngine, type StateDatabase, type StateEngine, type StateStore, type StoreContext } from '@millrace/state';
import type { NodeSpec, StoreSpec } from '@millrace/topology';
import { OffsetNote } from '../state-directory/offset-note.ts';
import { changelogTopicName } from '../topics/topic-names.ts';
import { ChangelogAppend } from './changelog-append.ts';
import { StateMeta } from './state-meta.ts';
import { type DatabaseKind, positionName, StoreGroup, type TaskStore } from './store-group.ts';
import { flushPasses, inNodeOrder } from './store-order.ts';

export interface TaskStateOptions {
  readonly taskId: string;
  /** Number of the task's partition: that of its changelog records too. */
  readonly partition: number;
  readonly applicationId: string;
  readonly stores: readonly StoreSpec[];
  /** The nodes of the task, in topology order. */
  readonly nodes: readonly NodeSpec[];
  /** Keeps the state of stores that are not in memory. */
  readonly engine: StateEngine;
  /** Of the task; engines create it. */
  readonly directory: string;
  /** Bytes of clean rows kept in memory, for all stores of the task together. */
  readonly cleanCacheBytes: number;
  /** False switches record caching off. */
  readonly cachingAllowed: boolean;
  readonly recordContext: RecordContext;
  readonly onExpiredRecord: (store: string, timestamp: number) => void;
  readonly logger: Logger;
  /** The name on the broker of a topic of the topology. */
  readonly resolveTopic: (name: string) => string;
}

/** A changelog that belongs to the task, and where its restore has to go on. */
export interface TaskChangelog {
  readonly store: string;
  /** Name on the broker. */
  readonly topic: string;
  readonly partition: number;
  /** The next offset to restore; `undefined` when nothing is stored: from the beginning. */
  readonly offset: number | undefined;
  /**
   * True when it is an input topic of the task: restoring then ends at the committed offset, not at the end of the topic,
   * because the records behind it are still to be processed.
   */
  readonly isInput: boolean;
}

/** The open databases of a task whose stores are closed: opening the stores over them again costs no look at the files. */
export type TaskDatabases = ReadonlyMap<DatabaseKind, StateDatabase>;

/**
 * The local state of a task: opens its stores, restores them from their changelogs, and takes them through a commit.
 *
 * Nothing uncommitted reaches the disk: rows, changelog offsets and input offsets of a commit are one atomic batch, written
 * after Kafka has committed. After a crash in between, the stored changelog offset tells where to restore from.
 *
 * Source: the role of Kafka Streams' `ProcessorStateManager`, without checkpoint files.
 */
export class TaskState {
  readonly #partition: number;
  readonly #groups: readonly StoreGroup[];
  /** In the order in which caches are flushed. */
  readonly #stores: readonly TaskStore[];
  readonly #byName: ReadonlyMap<string, StateStore>;
  readonly #flushPasses: number;
  readonly #note: OffsetNote | undefined;
  #appends: ReadonlyMap<string, ChangelogAppend> = new Map();

  private constructor(options: TaskStateOptions, groups: readonly StoreGroup[], stores: readonly TaskStore[], passes: number) {
    this.#partition = options.partition;
    this.#groups = groups;
    this.#stores = stores;
    this.#byName = new Map(stores.map(({ store }) => [store.name, store]));
    this.#flushPasses = passes;
    const { engine, directory } = options;
    const keepsNote = (engine.hasDirectories ?? engine.persistent) && groups[0]?.kind === 'engine';
    this.#note = keepsNote ? new OffsetNote(directory) : undefined;
  }

  /**
   * Opens the databases and all stores. A task without stores opens nothing.
   *
   * @param databases what {@link TaskState.detach} has left open of the same task; without it the engines open them
   * @throws RetriableError `STATE_LOCKED` when another task object or process has the directory open
   * @throws TaskCorruptedError when the files are damaged: quarantine the directory and open again
   */
  static async open(options: TaskStateOptions, databases?: TaskDatabases): Promise<TaskState> {
    const ordered = inNodeOrder(options.stores, options.nodes);
    const stores = new Map(ordered.map((spec) => [spec, taskStore(spec, options)]));
    const groups: StoreGroup[] = [];
    try {
      for (const kind of ['engine', 'memory'] as const) {
        const members = ordered.filter((spec) => kindOf(spec) === kind).map((spec) => stores.get(spec) as TaskStore);
        if (members.length === 0) continue;
        const database = databases?.get(kind) ?? (await openDatabase(kind, options));
        await openGroup(groups, kind, database, members, options);
      }
    } catch (error) {
      await Promise.all([...groups, ...(databases?.values() ?? [])].map((one) => one.close()));
      throw error;
    }
    return new TaskState(options, groups, [...stores.values()], flushPasses(ordered));
  }

  /** Sum of the stored changelog offsets: tells how much of the state is here. */
  get changelogOffsetSum(): number {
    return this.#offsetSum(this.#groups);
  }

  #offsetSum(groups: readonly StoreGroup[]): number {
    let sum = 0;
    for (const group of groups) for (const { offset } of this.#changelogsOf(group)) sum += offset ?? 0;
    return sum;
  }

  store(name: string): StateStore | undefined {
    return this.#byName.get(name);
  }

  /**
   * A store that shows what the one of this name has committed, and nothing else; open, to be closed by who reads it. `undefined`: there
   * is none of this name, or it cannot be read from outside.
   */
  async openReader(name: string): Promise<StateStore | undefined> {
    for (const group of this.#groups) {
      const found = group.stores.find(({ store }) => store.name === name);
      if (found !== undefined) return group.openReader(found);
    }
    return undefined;
  }

  get stores(): Iterable<StateStore> {
    return this.#byName.values();
  }

  /** Bytes held by uncommitted rows. */
  get dirtyBytes(): number {
    let bytes = 0;
    for (const { store } of this.#stores) bytes += store.dirtyBytes;
    return bytes;
  }

  /** The changelogs to restore from. */
  changelogs(): TaskChangelog[] {
    return this.#groups.flatMap((group) => this.#changelogsOf(group));
  }

  #changelogsOf(group: StoreGroup): TaskChangelog[] {
    return group.stores.flatMap(({ store, changelogTopic, sourceIsChangelog }) => {
      if (changelogTopic === undefined) return [];
      const offset = group.changelogOffset(positionName(store.name, sourceIsChangelog, this.#partition));
      return [{ store: store.name, topic: changelogTopic, partition: this.#partition, offset, isInput: sourceIsChangelog }];
    });
  }

  /**
   * Applies what was fetched from a changelog of this task. User code does not run.
   *
   * @param endOffset records from here on are left out: those of an input are still to be processed
   * @returns how many records were applied
   */
  async applyRestored(fetched: FetchedPartition, endOffset = Infinity): Promise<number> {
    for (const group of this.#groups) {
      const store = group.stores.find(({ changelogTopic }) => changelogTopic === fetched.topic);
      if (store !== undefined) return group.restore(store, fetched, endOffset);
    }
    throw new FatalStreamsError('BUG', 'records of a topic that is no changelog of the task were given to restore', {
      topic: fetched.topic,
      partition: fetched.partition,
    });
  }

  /** Everything has been restored: the stores may be used. */
  async finishRestore(): Promise<void> {
    for (const group of this.#groups) await group.finishRestore();
    this.#noteOffsets();
  }

  /**
   * Writes what has been applied so far; more may follow. When that fails the databases are of no use any more, and are closed: a task
   * that is about to hand them over has nobody else who would.
   */
  async flushRestored(): Promise<void> {
    try {
      for (const group of this.#groups) await group.flushRestored();
    } catch (error) {
      await Promise.allSettled(this.#groups.map((group) => group.close()));
      throw error;
    }
    this.#noteOffsets();
  }

  /** Leaves word beside the database of how far it is, for who asks without opening it. */
  #noteOffsets(): void {
    this.#note?.moved(this.#offsetSum(this.#groups.slice(0, 1)));
  }

  /** Looks up the changelog topics; to be called before the first commit. */
  async connect(appender: BatchAppender): Promise<void> {
    const written = this.#stores.filter((one) => one.changelogTopic !== undefined && !one.sourceIsChangelog);
    const appends = written.map(async ({ store, changelogTopic }) => {
      const handle = await appender.topic(changelogTopic as string);
      return [store.name, new ChangelogAppend(appender, handle, this.#partition)] as const;
    });
    this.#appends = new Map(await Promise.all(appends));
  }

  /** Up to where a store holds what is in a partition of the input that serves as its changelog; `undefined`: nothing. */
  sourceOffset(store: string, partition: number): number | undefined {
    const group = this.#groups.find(({ stores }) => stores.some((one) => one.store.name === store));
    return group?.changelogOffset(positionName(store, true, partition));
  }

  /** The next offset to process of an input as of the last local commit; `undefined` when none is stored. */
  storedInputOffset(topic: string, partition: number): number | undefined {
    return this.#groups[0]?.storedInputOffset(topicPartitionKey(topic, partition));
  }

  /** Hands all rows that caching holds back to their listeners, which may make others hold back rows. */
  flushCaches(): void {
    for (let pass = 0; pass < this.#flushPasses; pass++) {
      for (let i = 0; i < this.#stores.length; i++) (this.#stores[i] as TaskStore).store.flushCache();
    }
  }

  /** Turns dirty rows into changelog records, and into operations of the local batch. */
  prepareCommit(): void {
    for (const group of this.#groups) {
      for (const { store } of group.stores) group.prepareCommit(store, this.#appends.get(store.name));
    }
  }

  /**
   * Kafka has committed: writes rows, changelog offsets and input offsets in one batch. `undefined`: that is done already.
   * Rejects with TaskCorruptedError when writing failed: the state is to be put aside and restored.
   */
  completeCommit(inputs: readonly OffsetCommit[]): Promise<void> | undefined {
    for (const group of this.#groups) {
      for (const input of inputs) group.setInputOffset(topicPartitionKey(input.topic, input.partition), input.offset);
      for (const one of group.stores) this.#setChangelogOffset(group, one, inputs);
    }
    // Everything is taken down by now: the task may go on with the next records while this is written.
    return this.#writeGroups(0);
  }

  #writeGroups(first: number): Promise<void> | undefined {
    for (let i = first; i < this.#groups.length; i++) {
      const written = (this.#groups[i] as StoreGroup).commit();
      if (written !== undefined) return written.then(() => this.#writeGroups(i + 1));
    }
    this.#noteOffsets();
    return undefined;
  }

  #setChangelogOffset(
    group: StoreGroup,
    { store, changelogTopic, sourceIsChangelog }: TaskStore,
    inputs: readonly OffsetCommit[],
  ): void {
    if (sourceIsChangelog) {
      for (const { topic, partition, offset } of inputs) {
        if (topic === changelogTopic) group.setChangelogOffset(positionName(store.name, true, partition), offset);
      }
      return;
    }
    const offset = this.#appends.get(store.name)?.endOffset ?? -1;
    // The producer outlives the task: what it remembers may be from before the task was elsewhere and came back restored.
    if (offset > (group.changelogOffset(store.name) ?? -1)) group.setChangelogOffset(store.name, offset);
  }

  /** Forgets everything since the last commit. */
  rollback(): void {
    for (const group of this.#groups) group.rollback();
  }

  /**
   * Closes the stores and hands over the databases, which stay open. Everything has to be committed, or restored and flushed.
   */
  async detach(): Promise<TaskDatabases> {
    await this.#note?.settled();
    const databases = new Map<DatabaseKind, StateDatabase>();
    for (const group of this.#groups) databases.set(group.kind, await group.detach());
    return databases;
  }

  /** Closes stores and databases; what is uncommitted is lost. Idempotent. */
  async close(): Promise<void> {
    await this.#note?.settled();
    const results = await Promise.allSettled(this.#groups.map((group) => group.close()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}

function kindOf({ builder }: StoreSpec): DatabaseKind {
  return builder.inMemory ? 'memory' : 'engine';
}

function openDatabase(kind: DatabaseKind, { engine, directory, taskId, logger }: TaskStateOptions): Promise<StateDatabase> {
  return (kind === 'memory' ? memoryEngine() : engine).open({ directory, taskId, logger });
}

async function openGroup(
  groups: StoreGroup[],
  kind: DatabaseKind,
  database: StateDatabase,
  members: readonly TaskStore[],
  options: TaskStateOptions,
): Promise<void> {
  const group = new StoreGroup(kind, database, members);
  groups.push(group);
  const cleanCacheBytes = Math.floor(options.cleanCacheBytes / options.stores.length);
  await group.open(
    await StateMeta.load(database, kind === 'engine' && options.engine.persistent),
    ({ store, changelogTopic }, storeId): StoreContext => ({
      database,
      storeId,
      changelogTopic: changelogTopic ?? changelogTopicName(options.applicationId, store.name),
      recordContext: options.recordContext,
      cleanCacheBytes,
      cachingAllowed: options.cachingAllowed,
      onExpiredRecord: options.onExpiredRecord,
      logger: options.logger,
    }),
  );
}

function taskStore(spec: StoreSpec, options: TaskStateOptions): TaskStore {
  const { builder, sourceTopicAsChangelog } = spec;
  const sourceIsChangelog = sourceTopicAsChangelog !== undefined;
  const own = builder.loggingEnabled ? changelogTopicName(options.applicationId, builder.name) : undefined;
  const changelogTopic = sourceIsChangelog ? options.resolveTopic(sourceTopicAsChangelog) : own;
  return { store: builder.build(), changelogTopic, sourceIsChangelog, reader: builder.reader };
}
