import { FatalStreamsError, type Clock, type Logger } from '@millrace/core';
import type { Admin, BatchAppender, GroupMetadata, OffsetCommit } from '@millrace/client';
import { inputMissing } from '../topics/input-missing.ts';
import type { AbandonableCommitter, Committer } from './committer.ts';

/** A commit that takes this long may wait for a topic that is gone. */
const LOOK_AFTER_MS = 5000;

export interface LostTopicWatchOptions {
  readonly admin: Pick<Admin, 'describeTopics'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Changelogs and repartition topics that the worker writes to. */
  readonly internalTopics: readonly string[];
  /** Inputs whose offsets it commits; none when it is to wait until they are made again. */
  readonly inputTopics: readonly string[];
}

/**
 * Ends a commit that can never succeed because a topic has been deleted that it writes to, or whose offsets it commits. To the producer
 * a topic that is gone is no other than one whose leader is moving: it would try for as long as it may, and then not say what is wrong.
 */
export class LostTopicWatch implements Committer {
  readonly #committer: AbandonableCommitter;
  readonly #options: LostTopicWatchOptions;
  #isLost = false;

  constructor(committer: AbandonableCommitter, options: LostTopicWatchOptions) {
    this.#committer = committer;
    this.#options = options;
  }

  get appender(): BatchAppender {
    return this.#committer.appender;
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#committer.start(signal);
  }

  /** @throws FatalStreamsError `INTERNAL_TOPIC_MISSING`, besides what the committer throws */
  commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopLooking = this.#look(reject);
      this.#committer.commit(group, offsets).then(resolve, reject).finally(stopLooking);
    });
  }

  /** What was appended to a topic that is gone cannot be sent, and must not be waited for. */
  async rollback(): Promise<void> {
    if (!this.#isLost) await this.#committer.rollback();
  }

  restart(signal: AbortSignal): Promise<void> {
    return this.#committer.restart(signal);
  }

  close(): Promise<void> {
    return this.#isLost ? this.#committer.abandon() : this.#committer.close();
  }

  /** Looks from time to time whether the topics are still there. Returns what ends it. */
  #look(onLost: (error: FatalStreamsError) => void): () => void {
    const { clock, logger } = this.#options;
    let isOver = false;
    const look = async (): Promise<void> => {
      const [lost] = await this.#lostTopics();
      if (isOver) return;
      if (lost === undefined) {
        cancel = clock.setTimer(LOOK_AFTER_MS, retry);
        return;
      }
      this.#isLost = true;
      onLost(this.#options.inputTopics.includes(lost) ? inputMissing(lost) : topicMissing(lost));
    };
    const retry = (): void =>
      void look().catch((error: unknown) => {
        logger.warn('could not look whether the topics are still there', { error });
        if (!isOver) cancel = clock.setTimer(LOOK_AFTER_MS, retry);
      });
    let cancel = clock.setTimer(LOOK_AFTER_MS, retry);
    return () => {
      isOver = true;
      cancel();
    };
  }

  async #lostTopics(): Promise<string[]> {
    const { admin, internalTopics, inputTopics } = this.#options;
    const topics = [...internalTopics, ...inputTopics];
    if (topics.length === 0) return [];
    const found = await admin.describeTopics(topics);
    return topics.filter((name) => found.get(name) === undefined);
  }
}

function topicMissing(topic: string): FatalStreamsError {
  return new FatalStreamsError(
    'INTERNAL_TOPIC_MISSING',
    'the internal topic was deleted while the application runs. Bring it back, or reset the application (offsets, internal topics, local state); ' +
      'a changelog is made anew, empty, when the application starts with allowChangelogRebuild',
    { topic },
  );
}
