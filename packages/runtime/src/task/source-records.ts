import type { RecordContext } from '@millrace/core';
import type { RawRecord } from '../errors/deserialization-error-handler.ts';

/** A copy of an input record's bytes, with the place that it came from. */
export interface KeptRecord extends RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** The bytes of a record that its queue still stands at; `undefined` when it has gone on. */
export type ReadSource = (topic: string, partition: number, offset: number) => RawRecord | undefined;

const NO_BYTES: RawRecord = { key: undefined, value: undefined };

/**
 * Finds the bytes of the input record that a task is working on, for error handlers.
 *
 * While a record is processed synchronously its queue stands at it, and nothing need be kept: the bytes are read when something
 * fails. What a promise or an asynchronous operator goes on with is processed when the queue has gone on: of such a record a copy
 * is kept.
 */
export class SourceRecords {
  readonly #context: RecordContext;
  readonly #read: ReadSource;
  readonly #keeps: boolean;
  #kept: KeptRecord | undefined;

  /** @param keeps false when nobody would ask for what is kept */
  constructor(context: RecordContext, read: ReadSource, keeps: boolean) {
    this.#context = context;
    this.#read = read;
    this.#keeps = keeps;
  }

  /** Of the record in work; empty when there is none, or its bytes are gone. */
  get current(): RawRecord {
    const { topic, partition, offset } = this.#context;
    if (topic === undefined) return NO_BYTES;
    return this.#keptAt(topic, partition, offset) ?? this.#read(topic, partition, offset) ?? NO_BYTES;
  }

  /** Keeps the record in work, because its queue is about to go on. */
  keep(): KeptRecord | undefined {
    const { topic, partition, offset } = this.#context;
    if (!this.#keeps || topic === undefined) return undefined;
    const kept = this.#keptAt(topic, partition, offset);
    if (kept !== undefined) return kept;
    const raw = this.#read(topic, partition, offset);
    if (raw !== undefined) this.#kept = { topic, partition, offset, key: raw.key, value: raw.value };
    return raw === undefined ? undefined : this.#kept;
  }

  /** The record in work is one that was kept. */
  resume(kept: KeptRecord | undefined): void {
    this.#kept = kept;
  }

  #keptAt(topic: string, partition: number, offset: number): KeptRecord | undefined {
    const kept = this.#kept;
    return kept !== undefined && kept.offset === offset && kept.partition === partition && kept.topic === topic
      ? kept
      : undefined;
  }
}
