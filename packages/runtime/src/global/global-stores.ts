import type { StateStore } from '@millrace/state';
import { TaskCorruptedError, topicPartitionKey } from '@millrace/core';
import type { FetchedPartition, Fetcher } from '@millrace/client';
import type { GlobalStoreSpec } from '@millrace/topology';
import type { ChangelogProgress } from '../restore/changelog-progress.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { CommitSchedule } from '../worker/commit-schedule.ts';
import { findGlobalPartitions, progressOf } from './global-partitions.ts';
import { type GlobalTaskOptions, openGlobalTask } from './open-global-task.ts';
import { loadRaw, restoreTeller, type RestoreTeller } from './raw-load.ts';

/** Longest time that records are processed before others get their turn. */
const SLICE_MS = 8;
const RECORDS_PER_TURN = 1024;
/** Beyond this many bytes of unsaved rows they are saved early. */
const UNSAVED_BYTES = 16 * 1024 * 1024;
const FETCH_SIZES = { maxBytes: 4 * 1024 * 1024, maxBufferedBytes: 8 * 1024 * 1024 };

export interface GlobalStoresOptions extends GlobalTaskOptions {
  readonly specs: readonly GlobalStoreSpec[];
}

/**
 * The global stores of a process: loaded up to the ends that their topics have at the start, then kept up with them.
 *
 * Rows and positions are saved in one atomic batch, so that a restart goes on where they are. Nothing is committed to Kafka,
 * and no group is joined: every process reads everything.
 *
 * Source: Kafka Streams `GlobalStreamThread`, `GlobalStateManagerImpl`, `GlobalStateUpdateTask`.
 */
export class GlobalStores {
  readonly #options: GlobalStoresOptions;
  readonly #task: StreamTask;
  readonly #fetcher: Fetcher;
  readonly #schedule: CommitSchedule;
  readonly #tell: RestoreTeller;
  /** Partitions whose records are still being processed for the first time, see `topicPartitionKey`. */
  readonly #loading = new Map<string, ChangelogProgress>();
  readonly #paused: { readonly topic: string; readonly partition: number }[] = [];
  #isDamaged = false;

  private constructor(options: GlobalStoresOptions, task: StreamTask, fetcher: Fetcher) {
    const { settings, components } = options;
    this.#options = options;
    this.#task = task;
    this.#fetcher = fetcher;
    this.#schedule = new CommitSchedule(settings.commitIntervalMs, UNSAVED_BYTES, components.clock.nowMs());
    this.#tell = restoreTeller(components.restoreListener ?? {}, components.logger);
  }

  /**
   * Opens the stores and loads them.
   *
   * @throws TopologyError `SOURCE_TOPIC_MISSING`; ProcessingError when a record cannot be read and the handler says `fail`
   */
  static async load(options: GlobalStoresOptions, signal: AbortSignal): Promise<GlobalStores> {
    const { client } = options.components;
    const isCommitted = options.settings.guarantee === 'exactly_once_v2';
    const partitions = await findGlobalPartitions(client, options.specs, isCommitted ? 'latest-stable' : 'latest', signal);
    const isolation = isCommitted ? 'read_committed' : 'read_uncommitted';
    const fetcher = client.createFetcher({ lane: 'global', isolation, ...FETCH_SIZES });
    try {
      const task = await openGlobalTask(options, partitions, fetcher);
      const stores = new GlobalStores(options, task, fetcher);
      try {
        const all = partitions.map((at) => ({
          progress: progressOf(task, at, options.components.clock),
          reprocesses: at.reprocesses,
        }));
        await stores.#load(all, signal);
        return stores;
      } catch (error) {
        await stores.#closeTask(error);
        throw error;
      }
    } catch (error) {
      await fetcher.close();
      throw error;
    }
  }

  /** By name. Their users must not write to them. */
  get stores(): ReadonlyMap<string, StateStore> {
    return new Map([...this.#task.state.stores].map((store) => [store.name, store]));
  }

  async #load(all: readonly { progress: ChangelogProgress; reprocesses: boolean }[], signal: AbortSignal): Promise<void> {
    const task = this.#task;
    const raw = all.filter(({ reprocesses }) => !reprocesses).map(({ progress }) => progress);
    await loadRaw({ task, fetcher: this.#fetcher, tell: this.#tell }, raw, signal);
    await task.finishRestore();
    task.initializeInput(all.map(({ progress }) => ({ ...at(progress), offset: progress.currentOffset, metadata: '' })));
    for (const { progress } of all) this.#fetcher.assign(progress.topic, progress.partition, progress.currentOffset);
    for (const { progress, reprocesses } of all) {
      if (!reprocesses || progress.done) continue;
      this.#loading.set(topicPartitionKey(progress.topic, progress.partition), progress);
      this.#tell('onRestoreStart', progress);
    }
    while (this.#loading.size > 0 || task.hasRecords) {
      signal.throwIfAborted();
      await this.#turn(signal);
    }
    await this.#save();
  }

  /** Follows the topics until the signal aborts, then saves. */
  async keepUp(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#turn(signal);
      await this.#save();
    } catch (error) {
      this.#isDamaged ||= error instanceof TaskCorruptedError;
      throw error;
    }
  }

  /** Releases everything; what is not saved is lost, and read again at the next start. */
  async close(): Promise<void> {
    await this.#fetcher.close();
    await this.#closeTask(undefined);
  }

  /** Applies what has arrived; waits a while when there is nothing. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.components;
    const task = this.#task;
    this.#throwFailures();
    this.#deliver();
    const processed = task.process(RECORDS_PER_TURN, clock.monotonicMs() + SLICE_MS);
    if (task.pending !== undefined) await task.pending;
    task.punctuate();
    if (task.pending !== undefined) await task.pending;
    this.#resumeDrained();
    const now = clock.nowMs();
    if (this.#schedule.due([task], now)) await this.#save();
    if (processed > 0 || this.#fetcher.available) await clock.sleep(0);
    else await this.#fetcher.wait(this.#waitMs(now), signal);
  }

  #waitMs(now: number): number {
    const { settings } = this.#options;
    const untilSave = this.#task.commitNeeded ? this.#schedule.remainingMs(now) : settings.pollMs;
    return Math.max(0, Math.min(settings.pollMs, untilSave, this.#task.nextWakeUpMs(now) - now));
  }

  #deliver(): void {
    const [task, fetcher] = [this.#task, this.#fetcher];
    for (let fetched = fetcher.take(); fetched !== undefined; fetched = fetcher.take()) {
      const { topic, partition } = fetched;
      task.enqueue(fetched);
      this.#noteLoaded(fetched);
      if (!task.input.isFull(topic, partition)) continue;
      fetcher.pause(topic, partition);
      this.#paused.push({ topic, partition });
    }
  }

  #noteLoaded({ topic, partition, nextOffset, byteLength }: FetchedPartition): void {
    const key = topicPartitionKey(topic, partition);
    const progress = this.#loading.get(key);
    if (progress === undefined) return;
    const records = nextOffset - progress.currentOffset;
    progress.advance(nextOffset, records, byteLength);
    this.#tell('onBatchRestored', progress, records);
    if (!progress.done) return;
    this.#loading.delete(key);
    this.#tell('onRestoreEnd', progress);
  }

  #resumeDrained(): void {
    for (const { topic, partition } of this.#paused.splice(0)) {
      if (this.#task.input.hasRoom(topic, partition)) this.#fetcher.resume(topic, partition);
      else this.#paused.push({ topic, partition });
    }
  }

  #throwFailures(): void {
    for (const { topic, partition, position, reason, error } of this.#fetcher.takeFailures()) {
      if (reason !== 'offset-out-of-range') throw error;
      throw new TaskCorruptedError(
        'GLOBAL_TOPIC_TRUNCATED',
        'the topic of a global store was truncated or made anew; the store is put aside, and loaded anew at the next start',
        { topic, partition, offset: position, cause: error },
      );
    }
  }

  /** Writes rows and positions in one batch. */
  async #save(): Promise<void> {
    const task = this.#task;
    do {
      task.flushCaches();
      if (task.settling !== undefined) await task.settling;
    } while (task.hasUnflushed);
    if (task.commitNeeded) {
      task.prepareCommit();
      await task.completeCommit();
    }
    this.#schedule.committed(this.#options.components.clock.nowMs());
  }

  async #closeTask(failure: unknown): Promise<void> {
    const { engine } = this.#options.components;
    await this.#task.close({ clean: failure === undefined && !this.#isDamaged });
    if (this.#isDamaged || failure instanceof TaskCorruptedError) await engine.quarantine(this.#options.directory);
  }
}

function at({ topic, partition }: ChangelogProgress): { readonly topic: string; readonly partition: number } {
  return { topic, partition };
}
