import { type Logger, ProcessingError } from '@millrace/core';
import type { BatchAppender } from '@millrace/client';
import type { ProductionDecision, ProductionErrorHandler } from '../errors/production-error-handler.ts';

export interface RefusedRecordsOptions {
  readonly appender: BatchAppender;
  readonly handler: ProductionErrorHandler;
  readonly logger: Logger;
  /** True when a refused record spoils everything that is committed with it: a transaction cannot leave one out. */
  readonly isAtomic: boolean;
}

/**
 * Asks the production handler about records that the broker has refused for good (too large, without a key, …).
 *
 * Source: Kafka Streams `RecordCollectorImpl.recordSendError`.
 */
export class RefusedRecords {
  readonly #options: RefusedRecordsOptions;

  constructor(options: RefusedRecordsOptions) {
    this.#options = options;
  }

  /**
   * @returns `none` when nothing was refused; `go-on` when the handler gives the refused records up: repeat the commit;
   * `retry` when it wants the work since the last commit repeated
   * @throws ProcessingError `RECORD_REFUSED` when it does not, or when giving up one record is impossible in a transaction
   */
  judge(): 'none' | 'go-on' | 'retry' {
    const decisions = new Set<ProductionDecision['decide']>();
    const { appender, handler, isAtomic, logger } = this.#options;
    for (let refused = appender.takeFailure(); refused !== undefined; refused = appender.takeFailure()) {
      const { topic, partition, error } = refused;
      const { decide } = handler.handle({ topic, partition }, error);
      if (decide === 'fail' || (decide === 'continue' && isAtomic)) throw refusal(topic, partition, decide, error);
      if (decide === 'continue') logger.warn('a record was refused by the broker and is given up', { topic, partition, error });
      decisions.add(decide);
    }
    if (decisions.has('retry')) return 'retry';
    return decisions.size > 0 ? 'go-on' : 'none';
  }
}

function refusal(topic: string, partition: number, decide: 'fail' | 'continue', cause: unknown): ProcessingError {
  const what = cause instanceof Error ? cause.message : String(cause);
  const hint =
    decide === 'continue'
      ? 'the handler would go on without it, but a transaction cannot leave out one of its records: drop such records in the topology'
      : 'make the topic accept it, drop such records in the topology, or set a production handler';
  return new ProcessingError('RECORD_REFUSED', `the broker refused a record: ${what}; ${hint}`, { topic, partition, cause });
}
