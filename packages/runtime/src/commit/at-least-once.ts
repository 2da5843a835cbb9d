import type { GroupMetadata, KafkaClient, OffsetCommit, Producer } from '@millrace/client';
import type { AbandonableCommitter } from './committer.ts';

/**
 * At-least-once: flush the producer, then commit the offsets. A crash in between processes some input again.
 */
export class AtLeastOnceCommitter implements AbandonableCommitter {
  readonly appender: Producer;
  readonly #client: KafkaClient;

  constructor(client: KafkaClient, producer: Producer) {
    this.#client = client;
    this.appender = producer;
  }

  async start(): Promise<void> {
    // Nothing to fence: at-least-once producers have no identity that outlives the process.
  }

  async commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    await this.appender.flush();
    if (offsets.length > 0) await this.#client.offsets.commit(group, offsets);
  }

  /** What was appended may have been sent already; it is sent to the end, so that the log holds no half batch of it. */
  async rollback(): Promise<void> {
    await this.appender.flush().catch(() => undefined);
  }

  async restart(): Promise<void> {
    await this.rollback();
  }

  async abandon(): Promise<void> {
    await this.appender.close(true);
  }

  async close(): Promise<void> {
    await this.appender.close();
  }
}
