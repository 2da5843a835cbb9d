import { FatalStreamsError, RetriableError, topicPartitionKey, type Logger, type TopicPartition } from '@millrace/core';
import type { Admin, CommittedOffset, TopicDescription } from '@millrace/client';
import type { RecreatedInputPolicy } from '../settings/settings.ts';
import { inputMissing } from '../topics/input-missing.ts';
import { decodeEmittedTimes, decodeTopicId, encodeOffsetMetadata, decodeOffsetMetadata } from '../task/offset-metadata.ts';

export interface InputTopicsOptions {
  readonly admin: Pick<Admin, 'describeTopics'>;
  readonly logger: Logger;
  /** What to do when an input topic is another one than the one that was read. */
  readonly onRecreatedInput: RecreatedInputPolicy;
  /** Repartition topics hold what no other topic holds: of those the policy does not speak. */
  readonly isInternal: (topic: string) => boolean;
  /** Where to begin in a topic of which nothing is committed. */
  readonly resetOffset: (at: TopicPartition, signal: AbortSignal) => Promise<number>;
}

/**
 * Which topics the offsets of the inputs belong to. A topic that is deleted and made again has the same name and another id, and
 * an offset of the one means nothing in the other: read from there, the records before it would be left out in silence.
 *
 * The id travels in the metadata of the committed offset, and is remembered here while the worker runs: when a topic is deleted
 * its broker forgets the offsets, unless they are committed after that. Brokers that know no ids leave all of it out.
 */
export class InputTopics {
  readonly #options: InputTopicsOptions;
  /** By `topicPartitionKey`: the topic that is, or was last, read here. */
  readonly #ids = new Map<string, string>();

  constructor(options: InputTopicsOptions) {
    this.#options = options;
  }

  /** The id of the topic that is read. */
  idOf({ topic, partition }: TopicPartition): string | undefined {
    return this.#ids.get(topicPartitionKey(topic, partition));
  }

  /**
   * Compares committed offsets with the topics as they are now.
   *
   * @returns the offsets with the topic id in their metadata; with the policy `reset` those of another topic are replaced
   * @throws FatalStreamsError `INPUT_TOPIC_RECREATED`, or `INPUT_TOPIC_MISSING` when its offset is gone as well
   * @throws RetriableError `INPUT_TOPIC_MISSING` when it is to be read anew, once it is there
   */
  async adopt(committed: readonly CommittedOffset[], signal: AbortSignal): Promise<CommittedOffset[]> {
    const found = await this.#describe(committed, signal);
    return Promise.all(committed.map((one) => this.#adopt(one, found.get(one.topic), signal)));
  }

  /**
   * Looks whether the topic of a partition that cannot be read is still the same.
   *
   * @param committed the last committed offset
   * @throws FatalStreamsError `INPUT_TOPIC_RECREATED`, `INPUT_TOPIC_MISSING`
   * @throws RetriableError with the same codes when it is to be read anew, once it is there
   */
  async assertSame(at: TopicPartition, committed: number, signal: AbortSignal): Promise<void> {
    const found = (await this.#describe([at], signal)).get(at.topic);
    if (found === undefined) throw this.#missing(at);
    const known = this.idOf(at);
    if (known === undefined || found.topicId === undefined || known === found.topicId) return;
    if (this.#mayReset(at.topic)) {
      throw new RetriableError('INPUT_TOPIC_RECREATED', `the topic has another id: ${found.topicId}; reading it anew`, at);
    }
    throw recreated({ ...at, offset: committed }, known, found.topicId);
  }

  #describe(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<Map<string, TopicDescription | undefined>> {
    return this.#options.admin.describeTopics([...new Set(partitions.map(({ topic }) => topic))], signal);
  }

  async #adopt(committed: CommittedOffset, found: TopicDescription | undefined, signal: AbortSignal): Promise<CommittedOffset> {
    const { metadata } = committed;
    const known = decodeTopicId(metadata) ?? this.idOf(committed);
    const key = topicPartitionKey(committed.topic, committed.partition);
    if (found === undefined && known !== undefined) {
      if (committed.offset < 0) throw this.#missing(committed);
      // Whether it is gone, or is so new that this broker has not heard of it, shows when it is read.
      this.#ids.set(key, known);
    }
    if (found?.topicId === undefined) return committed;
    const { topicId } = found;
    const emitted = decodeEmittedTimes(metadata);
    if (known === undefined || known === topicId) {
      this.#ids.set(key, topicId);
      return { ...committed, metadata: encodeOffsetMetadata(decodeOffsetMetadata(metadata), emitted, topicId) };
    }
    if (!this.#mayReset(committed.topic)) throw recreated(committed, known, topicId);
    if (committed.partition >= found.partitions) throw shrunk(committed, found.partitions);
    const offset = await this.#options.resetOffset(committed, signal);
    this.#options.logger.warn('an input topic was deleted and made again; it is read anew, with the state that there is', {
      topic: committed.topic,
      partition: committed.partition,
      topicId,
      formerTopicId: known,
      committedOffset: committed.offset,
      newPosition: offset,
    });
    this.#ids.set(key, topicId);
    // Windows that were emitted stay emitted; times of the former topic say nothing about records of this one.
    return { ...committed, offset, metadata: encodeOffsetMetadata(-1, emitted, topicId) };
  }

  #mayReset(topic: string): boolean {
    return this.#options.onRecreatedInput === 'reset' && !this.#options.isInternal(topic);
  }

  #missing({ topic }: TopicPartition): Error {
    if (!this.#mayReset(topic)) return inputMissing(topic);
    return new RetriableError('INPUT_TOPIC_MISSING', 'the topic was deleted; waiting until it is made again', { topic });
  }
}

function recreated(committed: TopicPartition & { readonly offset: number }, known: string, found: string): FatalStreamsError {
  const { topic, partition, offset } = committed;
  return new FatalStreamsError(
    'INPUT_TOPIC_RECREATED',
    `the topic was deleted and made again: its id was ${known}, now it is ${found}. The committed offset belongs to the former one, ` +
      'nothing was read from the new one. Reset the application (`millrace reset`: offsets, internal topics, local state); or start with ' +
      "onRecreatedInput 'reset' to read the new topic from offsetReset on, on top of the state that there is " +
      "(and with onMissingOffsets 'reset' where the broker has forgotten the offsets with the topic)",
    { topic, partition, ...(offset < 0 ? {} : { offset }) },
  );
}

function shrunk({ topic, partition }: TopicPartition, partitions: number): FatalStreamsError {
  return new FatalStreamsError(
    'INPUT_TOPIC_RECREATED',
    `the topic was deleted and made again with ${partitions} partitions only; tasks and internal topics are laid out for more. ` +
      'Make it with as many as before, or reset the application (`millrace reset`: offsets, internal topics, local state)',
    { topic, partition },
  );
}
