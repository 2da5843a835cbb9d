import { bytes, type Clock, type Counter, ProcessingError, type Random, type RecordContext, type Serde } from '@millrace/core';
import type { BatchAppender } from '@millrace/client';
import type { DeadLetter } from '../errors/dead-letter.ts';
import { SinkOutput, type SinkOwner } from './sink-output.ts';

export interface DeadLetterOutputOptions {
  readonly appender: BatchAppender;
  readonly random: Random;
  readonly clock: Clock;
  /** Counts the records written. */
  readonly sent: Counter;
  readonly recordContext: RecordContext;
  readonly waitFor: (pending: Promise<void>) => void;
}

const NODE = 'dead letters';

/**
 * Writes dead letters with the task's producer, so that they share the fate of everything else that the task writes. Partitions are
 * chosen as by a sink: by the key, without one by turns.
 */
export class DeadLetterOutput {
  readonly #output: SinkOutput;
  readonly #clock: Clock;
  #topic = '';

  constructor(options: DeadLetterOutputOptions) {
    const { appender, random, clock, sent, recordContext, waitFor } = options;
    const raw = bytes() as Serde<unknown>;
    const target = { node: NODE, keySerde: raw, valueSerde: raw, changeSerde: undefined, partitioner: undefined };
    this.#clock = clock;
    this.#output = new SinkOutput(
      { ...target, topic: () => this.#topic },
      {
        appender,
        random,
        sent,
        defaultKeySerde: raw,
        defaultValueSerde: raw,
        owner: { recordContext, waitFor, dropped: () => undefined, onSerializationError: rethrow },
      },
    );
  }

  /** @throws ProcessingError `INVALID_DEAD_LETTER` when key or value are no bytes */
  send({ topic, key, value, timestamp, headers }: DeadLetter): void {
    assertBytes(topic, 'key', key);
    assertBytes(topic, 'value', value);
    this.#topic = topic;
    this.#output.send(key, value, timestamp >= 0 ? timestamp : this.#clock.nowMs(), headers, undefined);
  }
}

function assertBytes(topic: string, part: 'key' | 'value', given: unknown): void {
  if (given == null || given instanceof Uint8Array) return;
  throw new ProcessingError(
    'INVALID_DEAD_LETTER',
    `an error handler gave a dead letter whose ${part} is not bytes; make it with deadLetter(), or serialise the ${part}`,
    { topic },
  );
}

/** Bytes need no serialisation that could fail. */
function rethrow(...failure: Parameters<SinkOwner['onSerializationError']>): never {
  throw failure[5];
}
