import { topicPartitionKey, type Clock, type Logger, type TopicPartition } from '@millrace/core';
import type { CommittedOffset, KafkaClient } from '@millrace/client';

/** How often committed input offsets are looked up. */
const REFRESH_MS = 2000;

export interface CommittedInputsOptions {
  readonly client: Pick<KafkaClient, 'offsets'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
  /** Inputs of which the committed offsets matter now. */
  readonly inputs: () => readonly TopicPartition[];
  /** Gets what was committed, by `topicPartitionKey`. */
  readonly onCommitted: (offsets: ReadonlyMap<string, CommittedOffset>) => void;
}

/** Looks up from time to time what the owners of tasks have committed of their inputs. */
export class CommittedInputs {
  readonly #options: CommittedInputsOptions;
  #dueAtMs = 0;
  #isAsking = false;

  constructor(options: CommittedInputsOptions) {
    this.#options = options;
  }

  /** There is an input whose committed offset is not known yet. */
  hasten(): void {
    this.#dueAtMs = 0;
  }

  /** Asks if it is time. Does not wait for the answer, which waits for transactions that are undecided. */
  refresh(signal: AbortSignal): void {
    const { clock, inputs, logger } = this.#options;
    const now = clock.monotonicMs();
    if (now < this.#dueAtMs) return;
    this.#dueAtMs = now + REFRESH_MS;
    const wanted = inputs();
    if (wanted.length === 0 || this.#isAsking) return;
    this.#isAsking = true;
    this.#ask(wanted, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) logger.warn('standby tasks could not look up committed offsets; trying again', { error });
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }

  async #ask(inputs: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const { client, groupId, onCommitted } = this.#options;
    const offsets = await client.offsets.committed(groupId, inputs, signal);
    onCommitted(new Map(offsets.map((one) => [topicPartitionKey(one.topic, one.partition), one])));
  }
}
