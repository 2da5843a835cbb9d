import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PartitionStorage } from '../log/segment-bytes.ts';
import { BrokerJournal, type JournalEntry } from './broker-journal.ts';
import type { BrokerStorage, FsyncPolicy, StoredTopic, Survivors } from './broker-storage.ts';
import { DirectoryLock } from './directory-lock.ts';
import { DirectoryPartition } from './directory-partition.ts';
import type { FileSegment } from './file-segment.ts';

const PARTITION_DIRECTORY = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+$/;

/**
 * Everything in one directory: `meta.journal` and a directory per partition.
 *
 * Why it survives SIGKILL at any point: a completed write is in the page cache; a torn one is found by its checksum and cut
 * off; a change of several files begins with the one that decides (the journal before files are deleted, a rename after a
 * file is written).
 */
export class DirectoryStorage implements BrokerStorage {
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  readonly #journal: BrokerJournal;
  readonly #fsync: FsyncPolicy;
  readonly #unflushed = new Set<FileSegment>();

  /** @throws FatalStreamsError DIRECTORY_IN_USE */
  constructor(directory: string, fsync: FsyncPolicy) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#fsync = fsync;
    this.#lock = new DirectoryLock(directory);
    this.#journal = new BrokerJournal(join(directory, 'meta.journal'));
    this.#deleteStrays();
  }

  get clusterId(): string | undefined {
    return this.#journal.clusterId;
  }

  get leaderEpoch(): number {
    return this.#journal.leaderEpoch;
  }

  topics(): readonly StoredTopic[] {
    return [...this.#journal.topics.values()];
  }

  saveTopic(topic: StoredTopic): void {
    this.#record({ kind: 'topic', topic });
  }

  forgetTopic(topicId: string): void {
    this.#record({ kind: 'topic-deleted', topicId });
  }

  saveClusterId(clusterId: string): void {
    if (clusterId !== this.clusterId) this.#record({ kind: 'cluster', clusterId });
  }

  reserveProducerIds(count: number): number {
    const first = this.#journal.producerIdsEnd;
    this.#journal.record({ kind: 'producer-ids', end: first + count });
    // No id may ever be given away twice, whatever a power failure takes.
    if (this.#fsync !== 'never') this.#journal.flush();
    return first;
  }

  openPartition(topicId: string, _topic: string, partition: number): PartitionStorage {
    const name = `${topicId}-${partition}`;
    const journal = this.#journal;
    const memory = {
      logStart: journal.logStart(name),
      cleanPoint: journal.cleanPoint(name),
      saveLogStart: (offset: number) => this.#record({ kind: 'log-start', partition: name, offset }),
      saveCleanPoint: (offset: number) => this.#record({ kind: 'clean-point', partition: name, offset }),
    };
    return new DirectoryPartition(join(this.#directory, name), memory, { appended: (segment) => this.#appended(segment) });
  }

  flush(): void {
    if (this.#fsync === 'never') return;
    for (const segment of this.#unflushed) segment.flush();
    this.#unflushed.clear();
    this.#journal.flush();
  }

  close(): void {
    this.#journal.close();
    this.#lock.release();
  }

  abandon(survivors: Survivors): void {
    if (survivors === 'flushed') {
      for (const segment of this.#unflushed) segment.loseUnflushed();
      this.#journal.loseUnflushed();
    }
    this.#journal.close();
    this.#lock.abandon();
  }

  #record(entry: JournalEntry): void {
    this.#journal.record(entry);
    if (this.#fsync === 'always') this.#journal.flush();
  }

  #appended(segment: FileSegment): void {
    if (this.#fsync === 'always') segment.flush();
    else this.#unflushed.add(segment);
  }

  /** The journal has forgotten a topic before its files were gone. */
  #deleteStrays(): void {
    for (const name of readdirSync(this.#directory)) {
      const topicId = PARTITION_DIRECTORY.exec(name)?.[1];
      const isStray = topicId !== undefined && !this.#journal.topics.has(topicId);
      if (isStray) rmSync(join(this.#directory, name), { recursive: true, force: true });
    }
  }
}
