import type { Headers, RecordContext } from '@millrace/core';
import type { KeptRecord } from '../task/source-records.ts';

/** How the call for a record has ended, after all attempts. */
export type AsyncOutcome =
  | { readonly succeeded: true; readonly result: unknown }
  | { readonly succeeded: false; readonly error: unknown };

/** A record that an asynchronous operator holds, with the context in which it came. */
export class AsyncRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Headers;
  /** What its input record came as; `undefined` when nobody would ask. */
  readonly source: KeptRecord | undefined;
  /** Stands for the key where records of one key wait for each other; else `undefined`. */
  orderKey: unknown = undefined;
  /** The next record of the same key, which waits for this one. */
  next: AsyncRecord | undefined = undefined;
  /** How many calls have been made for it. */
  attempt = 0;
  /** Of the attempt under way; `undefined` while none is. */
  controller: AbortController | undefined = undefined;
  /** Stops the timer of the attempt, or of the pause before the next one. */
  cancelTimer: (() => void) | undefined = undefined;
  outcome: AsyncOutcome | undefined = undefined;

  constructor(
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: Headers,
    context: RecordContext,
    source: KeptRecord | undefined,
  ) {
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.headers = headers;
    this.topic = context.topic;
    this.partition = context.partition;
    this.offset = context.offset;
    this.source = source;
  }

  /** Makes the context that of this record again. */
  enter(context: RecordContext): void {
    context.set(this.topic, this.partition, this.offset, this.timestamp, this.headers);
  }
}
