import { topicPartitionKey, type TopicPartition } from '@millrace/core';
import type { CommittedOffset, FetchedPartition, Fetcher, FetchFailure } from '@millrace/client';
import type { FollowedChangelog } from './followed-changelog.ts';

interface Followed<Owner> {
  readonly owner: Owner;
  readonly changelog: FollowedChangelog;
}

/** What was fetched of a changelog, and whose it is. */
export interface FollowedRecords<Owner> extends Followed<Owner> {
  readonly fetched: FetchedPartition;
}

/**
 * Reads the changelogs of standby tasks from one fetcher: each from where its state stands, up to what may be applied of it, none
 * while it is paused.
 */
export class FollowedChangelogs<Owner> {
  readonly #createFetcher: () => Fetcher;
  /** By `topicPartitionKey`. */
  readonly #followed = new Map<string, Followed<Owner>>();
  #fetcher: Fetcher | undefined;
  #isPaused = false;

  /** @param createFetcher called when it is needed for the first time: most workers have no standby tasks */
  constructor(createFetcher: () => Fetcher) {
    this.#createFetcher = createFetcher;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
    for (const { changelog } of this.#followed.values()) this.#fetcher?.pause(changelog.topic, changelog.partition);
  }

  resume(): void {
    this.#isPaused = false;
    for (const { changelog } of this.#followed.values()) this.#fetchUpToLimit(changelog);
  }

  follow(owner: Owner, changelog: FollowedChangelog): void {
    const { topic, partition, currentOffset } = changelog;
    this.#followed.set(topicPartitionKey(topic, partition), { owner, changelog });
    this.#open().assign(topic, partition, currentOffset);
    this.#fetchUpToLimit(changelog);
  }

  unfollow({ topic, partition }: TopicPartition): void {
    if (this.#followed.delete(topicPartitionKey(topic, partition))) this.#fetcher?.unassign(topic, partition);
  }

  /** The next records that were fetched, if there are any. */
  take(): FollowedRecords<Owner> | undefined {
    for (let fetched = this.#fetcher?.take(); fetched !== undefined; fetched = this.#fetcher?.take()) {
      const followed = this.#followed.get(topicPartitionKey(fetched.topic, fetched.partition));
      if (followed !== undefined) return { ...followed, fetched };
    }
    return undefined;
  }

  /** Resolves when there may be something to take, or after this time, or on abort. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#open().wait(timeoutMs, signal);
  }

  /** What could not be fetched, and whose it is. */
  takeFailures(): { owner: Owner; failure: FetchFailure }[] {
    return (this.#fetcher?.takeFailures() ?? []).flatMap((failure) => {
      const owner = this.#followed.get(topicPartitionKey(failure.topic, failure.partition))?.owner;
      return owner === undefined ? [] : [{ owner, failure }];
    });
  }

  /** Takes back what was fetched beyond the limit: it is fetched again once it may be applied. */
  holdAtLimit(changelog: FollowedChangelog): void {
    if (!changelog.isAtLimit) return;
    const { topic, partition, currentOffset } = changelog;
    this.#fetcher?.seek(topic, partition, currentOffset);
    this.#fetchUpToLimit(changelog);
  }

  /** Lets inputs that serve as changelogs be applied as far as they are committed. */
  raiseLimits(committed: ReadonlyMap<string, CommittedOffset>): void {
    for (const [key, { changelog }] of this.#followed) {
      const offset = committed.get(key)?.offset;
      if (offset === undefined || changelog.limit === Infinity) continue;
      changelog.limit = Math.max(changelog.limit, offset);
      this.#fetchUpToLimit(changelog);
    }
  }

  async close(): Promise<void> {
    await this.#fetcher?.close();
  }

  #open(): Fetcher {
    this.#fetcher ??= this.#createFetcher();
    return this.#fetcher;
  }

  #fetchUpToLimit({ topic, partition, isAtLimit }: FollowedChangelog): void {
    if (this.#isPaused || isAtLimit) this.#fetcher?.pause(topic, partition);
    else this.#fetcher?.resume(topic, partition);
  }
}
