import { loadCodecs, type Compression } from '@millrace/wire';
import type { Cluster } from '../cluster/cluster.ts';
import type { TopicHandle } from '../port/kafka-client.ts';
import type { Accumulator } from './accumulator.ts';

/** The topics that a producer writes to. */
export class ProducerTopics {
  readonly #cluster: Cluster;
  readonly #accumulator: Accumulator;
  readonly #compression: Compression;

  constructor(cluster: Cluster, accumulator: Accumulator, compression: Compression) {
    this.#cluster = cluster;
    this.#accumulator = accumulator;
    this.#compression = compression;
  }

  /** Looks the topic up, and makes sure that its batches can be compressed. @throws FatalStreamsError `UNKNOWN_TOPIC` */
  async find(name: string): Promise<TopicHandle> {
    if (this.#compression === 'zstd') await loadCodecs();
    const { leaders } = await this.#cluster.topic(name);
    return this.#accumulator.addTopic(name, leaders.length);
  }

  known(name: string): TopicHandle | undefined {
    return this.#accumulator.topic(name);
  }

  /** The offset after the last acknowledged record of a partition; −1 when there was none. */
  endOffset(topic: string, partition: number): number {
    return this.#accumulator.topic(topic)?.queues[partition]?.endOffset ?? -1;
  }
}
