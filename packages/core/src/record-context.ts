import { NO_HEADERS, type Headers } from './headers.ts';

/**
 * Which record a task is working on. One mutable object per task, so that knowing it costs nothing per record.
 *
 * `topic` is `undefined` in a punctuator, where no record is being processed.
 */
export class RecordContext {
  topic: string | undefined = undefined;
  partition = -1;
  offset = -1;
  timestamp = -1;
  headers: Headers = NO_HEADERS;

  /** Moves on to another record. */
  set(topic: string | undefined, partition: number, offset: number, timestamp: number, headers: Headers): void {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.headers = headers;
  }
}
