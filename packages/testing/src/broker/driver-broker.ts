import type { Headers } from '@millrace/core';
import type { BatchAppender, OffsetCommit, TopicHandle } from '@millrace/client';
import { TopicLog } from './topic-log.ts';

/** A topic as the task writes to it: its log is found without a look-up per record. */
class DriverTopic implements TopicHandle {
  readonly topic: string;
  readonly partitions = 1;
  readonly log: TopicLog;
  isWritten = false;

  constructor(log: TopicLog) {
    this.topic = log.topic;
    this.log = log;
  }
}

/**
 * What the driver has instead of Kafka: topics of one partition each, the open transaction, and the committed offsets.
 *
 * It outlives the task, so that a crashed application finds on it what it had committed.
 */
export class DriverBroker implements BatchAppender {
  readonly backPressure = false;
  readonly bufferedBytes = 0;
  readonly #logs = new Map<string, TopicLog>();
  readonly #handles = new Map<string, DriverTopic>();
  readonly #produced: string[] = [];
  readonly #offsets = new Map<string, OffsetCommit>();
  /** Logs with records of the open transaction. */
  readonly #openLogs: TopicLog[] = [];

  /** The log of a topic; topics come into being when they are first named. */
  log(topic: string): TopicLog {
    const known = this.#logs.get(topic);
    if (known !== undefined) return known;
    const log = new TopicLog(topic);
    this.#logs.set(topic, log);
    return log;
  }

  get logs(): Iterable<TopicLog> {
    return this.#logs.values();
  }

  /** Topics to which the application has written, in the order of the first record. */
  get producedTopics(): string[] {
    return [...this.#produced];
  }

  /** A record of the outside world has been written to the log: it belongs to no transaction. */
  endInput(log: TopicLog, hasValue: boolean, headers: Headers): void {
    log.end(hasValue, headers);
    // Behind uncommitted records it stays unseen until their transaction has ended, as on a broker.
    if (!log.isOpen) log.commit();
  }

  // ---- what the task writes to ----

  topic(name: string): Promise<TopicHandle> {
    return Promise.resolve(this.knownTopic(name));
  }

  knownTopic(name: string): TopicHandle {
    const known = this.#handles.get(name);
    if (known !== undefined) return known;
    const handle = new DriverTopic(this.log(name));
    this.#handles.set(name, handle);
    return handle;
  }

  /** Changelogs are written to partition 0 as well: the driver's task is `0_0`. */
  append(
    topic: TopicHandle,
    _partition: number,
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ): void {
    const handle = topic as DriverTopic;
    const { log } = handle;
    if (!handle.isWritten) {
      handle.isWritten = true;
      this.#produced.push(handle.topic);
    }
    if (!log.isOpen) this.#openLogs.push(log);
    log.appendUncommitted(timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
  }

  async drained(): Promise<void> {
    // Nothing is ever in flight.
  }

  endOffset(topic: string): number {
    return this.#logs.get(topic)?.endOffset ?? -1;
  }

  takeFailure(): undefined {
    return undefined;
  }

  // ---- transactions ----

  /** Makes the records of the open transaction visible, together with the offsets. */
  commit(offsets: readonly OffsetCommit[]): void {
    for (let log = this.#openLogs.pop(); log !== undefined; log = this.#openLogs.pop()) log.commit();
    for (const offset of offsets) this.#offsets.set(offset.topic, offset);
  }

  /** Drops the open transaction, as the broker does when the application has died. */
  abort(): void {
    for (const log of this.#openLogs.splice(0)) log.abort();
  }

  /** The committed offset of an input topic. */
  committed(topic: string): OffsetCommit | undefined {
    return this.#offsets.get(topic);
  }
}
