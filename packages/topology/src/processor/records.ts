import { FatalStreamsError, ProcessingError, type Headers, type Record } from '@millrace/core';
import type { FixedKeyRecord } from './processor.ts';

/** The record object that user-defined processors get; the framework's own operators pass plain arguments instead. */
export class ProcessorRecord<K, V> implements Record<K, V>, FixedKeyRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: Headers;

  constructor(key: K, value: V, timestamp: number, headers: Headers) {
    if (!(timestamp >= 0)) {
      throw new ProcessingError('NEGATIVE_TIMESTAMP', `a record's timestamp must not be negative, got ${timestamp}; take the time from the record or the context`);
    }
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.headers = headers;
  }

  withKey<K2>(key: K2): ProcessorRecord<K2, V> {
    return new ProcessorRecord(key, this.value, this.timestamp, this.headers);
  }

  withValue<V2>(value: V2): ProcessorRecord<K, V2> {
    return new ProcessorRecord(this.key, value, this.timestamp, this.headers);
  }

  withTimestamp(timestamp: number): ProcessorRecord<K, V> {
    return new ProcessorRecord(this.key, this.value, timestamp, this.headers);
  }

  withHeaders(headers: Headers): ProcessorRecord<K, V> {
    return new ProcessorRecord(this.key, this.value, this.timestamp, [...headers]);
  }
}

/** Throws unless a supplier made a new object: one processor shared by two tasks would mix their records. */
export function assertFresh(processor: object, made: WeakSet<object>, node: string): void {
  if (made.has(processor)) {
    throw new FatalStreamsError('PROCESSOR_REUSED', 'the processor supplier returned the same object twice; it must make a new one at each call', { node });
  }
  made.add(processor);
}
