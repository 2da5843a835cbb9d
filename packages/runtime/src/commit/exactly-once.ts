import type { GroupMetadata, OffsetCommit, TransactionalProducer } from '@millrace/client';
import type { AbandonableCommitter } from './committer.ts';

/**
 * Exactly-once v2: outputs, changelog records and input offsets of all tasks of the worker in one Kafka transaction.
 *
 * Source: KIP-447; the handling of an unknown outcome is in the client's transactional producer.
 */
export class ExactlyOnceCommitter implements AbandonableCommitter {
  readonly appender: TransactionalProducer;

  constructor(producer: TransactionalProducer) {
    this.appender = producer;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.appender.init(signal);
  }

  async commit(group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    await this.appender.commit(group, offsets);
  }

  async rollback(): Promise<void> {
    await this.appender.abort();
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.appender.init(signal);
  }

  /** Without a commit nothing of it counts. */
  async abandon(): Promise<void> {
    await this.appender.close();
  }

  async close(): Promise<void> {
    await this.appender.close();
  }
}
