import { bytes, type Clock, type Counter, ProcessingError, type Random, type Serde } from '@millrace/core';
import type { BatchAppender } from '@millrace/client';
import type { SinkTarget, SinkWriter } from '@millrace/topology';
import type { ProductionErrorHandler } from '../errors/production-error-handler.ts';
import { consultHandler } from '../errors/consult-handler.ts';
import type { DeadLetter } from '../errors/dead-letter.ts';
import type { ErrorHandlerContext } from '../errors/error-handler-context.ts';
import { DeadLetterOutput } from './dead-letter-output.ts';
import { SinkOutput, type SinkOwner } from './sink-output.ts';

export interface RecordCollectorOptions {
  readonly appender: BatchAppender;
  readonly random: Random;
  readonly clock: Clock;
  readonly sent: Counter;
  readonly handler: ProductionErrorHandler;
  readonly owner: Omit<SinkOwner, 'onSerializationError'>;
  readonly errorContext: (node: string) => ErrorHandlerContext;
}

/** Makes the writers of a task's sinks, decides about what they cannot serialise, and writes dead letters. */
export class RecordCollector {
  readonly #options: RecordCollectorOptions;
  readonly #deadLetters: DeadLetterOutput;

  constructor(options: RecordCollectorOptions) {
    const { owner } = options;
    this.#options = options;
    this.#deadLetters = new DeadLetterOutput({
      ...options,
      recordContext: owner.recordContext,
      waitFor: (pending) => owner.waitFor(pending),
    });
  }

  /** Looks up topics, so that sinks which write to them never wait. */
  async connect(topics: Iterable<string>): Promise<void> {
    await Promise.all([...topics].map((topic) => this.#options.appender.topic(topic)));
  }

  writer(target: SinkTarget): SinkWriter {
    const { appender, random, sent, owner } = this.#options;
    const raw = bytes() as Serde<unknown>;
    return new SinkOutput(target, {
      appender,
      random,
      sent,
      defaultKeySerde: raw,
      defaultValueSerde: raw,
      owner: {
        recordContext: owner.recordContext,
        dropped: (node, reason) => owner.dropped(node, reason),
        waitFor: (pending) => owner.waitFor(pending),
        onSerializationError: (...failure) => this.#onSerializationError(...failure),
      },
    });
  }

  /** Writes what an error handler has answered with. Nothing of it waits. */
  sendDeadLetters(letters: readonly DeadLetter[] = []): void {
    for (const letter of letters) this.#deadLetters.send(letter);
  }

  #onSerializationError(
    target: SinkTarget,
    topic: string,
    part: 'key' | 'value',
    key: unknown,
    value: unknown,
    error: unknown,
  ): void {
    const context = this.#options.errorContext(target.node);
    const { decide, deadLetters } = consultHandler('production', context, error, () =>
      this.#options.handler.handleSerialization(context, { topic, key, value }, error, part),
    );
    this.sendDeadLetters(deadLetters);
    if (decide === 'continue') {
      this.#options.owner.dropped(target.node, `the ${part} could not be serialised`);
      return;
    }
    const serde = part === 'key' ? target.keySerde : target.valueSerde;
    const hint =
      error instanceof TypeError
        ? `; the serde of the ${part} is ${serde?.name ?? 'bytes'}: give the sink the one of its type`
        : '';
    const { taskId, partition, offset } = context;
    throw new ProcessingError(
      'SERIALIZATION_FAILED',
      `the ${part} of a record for ${topic} cannot be serialised${hint}: ${messageOf(error)}`,
      {
        taskId,
        topic: context.topic,
        partition: partition < 0 ? undefined : partition,
        offset: offset < 0 ? undefined : offset,
        node: target.node,
        cause: error,
      },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
