import type { StoredTopic } from './broker-storage.ts';
import { Journal } from './journal.ts';

/** The journal is rewritten when it is larger than this and mostly out of date. */
const REWRITE_BYTES_MIN = 1024 * 1024;
const REWRITE_GARBAGE_FACTOR = 4;

/** What the journal remembers. */
export type JournalEntry =
  | { readonly kind: 'start'; readonly leaderEpoch: number }
  | { readonly kind: 'cluster'; readonly clusterId: string }
  | { readonly kind: 'topic'; readonly topic: StoredTopic }
  | { readonly kind: 'topic-deleted'; readonly topicId: string }
  | { readonly kind: 'producer-ids'; readonly end: number }
  | { readonly kind: 'log-start' | 'clean-point'; readonly partition: string; readonly offset: number };

/** What outlives the broker besides the logs: topics, log starts, ids that were given away. */
export class BrokerJournal {
  readonly topics = new Map<string, StoredTopic>();
  readonly #logStarts = new Map<string, number>();
  readonly #cleanPoints = new Map<string, number>();
  readonly #journal: Journal;
  clusterId: string | undefined;
  leaderEpoch = -1;
  producerIdsEnd = 0;
  #sizeAfterRewrite = 0;

  /** Opening it counts as a start: the leader epoch rises. */
  constructor(path: string) {
    this.#journal = Journal.open(path, (entry) => this.#apply(entry as JournalEntry));
    this.record({ kind: 'start', leaderEpoch: this.leaderEpoch + 1 });
  }

  logStart(partition: string): number {
    return this.#logStarts.get(partition) ?? 0;
  }

  cleanPoint(partition: string): number {
    return this.#cleanPoints.get(partition) ?? 0;
  }

  record(entry: JournalEntry): void {
    this.#journal.append(entry);
    this.#apply(entry);
    const { sizeInBytes } = this.#journal;
    if (sizeInBytes > Math.max(REWRITE_BYTES_MIN, this.#sizeAfterRewrite * REWRITE_GARBAGE_FACTOR)) {
      this.#journal.rewrite(this.#entries());
      this.#sizeAfterRewrite = this.#journal.sizeInBytes;
    }
  }

  flush(): void {
    this.#journal.flush();
  }

  /** What a power failure does. */
  loseUnflushed(): void {
    this.#journal.loseUnflushed();
  }

  close(): void {
    this.#journal.close();
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'start':
        this.leaderEpoch = entry.leaderEpoch;
        break;
      case 'cluster':
        this.clusterId = entry.clusterId;
        break;
      case 'topic':
        this.topics.set(entry.topic.id, entry.topic);
        break;
      case 'topic-deleted':
        this.#forget(entry.topicId);
        break;
      case 'producer-ids':
        this.producerIdsEnd = entry.end;
        break;
      case 'log-start':
        this.#logStarts.set(entry.partition, entry.offset);
        break;
      case 'clean-point':
        this.#cleanPoints.set(entry.partition, entry.offset);
        break;
    }
  }

  #forget(topicId: string): void {
    this.topics.delete(topicId);
    for (const offsets of [this.#logStarts, this.#cleanPoints]) {
      for (const partition of offsets.keys()) if (partition.startsWith(`${topicId}-`)) offsets.delete(partition);
    }
  }

  #entries(): JournalEntry[] {
    return [
      { kind: 'start', leaderEpoch: this.leaderEpoch },
      ...(this.clusterId === undefined ? [] : [{ kind: 'cluster', clusterId: this.clusterId } as const]),
      { kind: 'producer-ids', end: this.producerIdsEnd },
      ...[...this.topics.values()].map((topic) => ({ kind: 'topic', topic }) as const),
      ...[...this.#logStarts].map(([partition, offset]) => ({ kind: 'log-start', partition, offset }) as const),
      ...[...this.#cleanPoints].map(([partition, offset]) => ({ kind: 'clean-point', partition, offset }) as const),
    ];
  }
}
