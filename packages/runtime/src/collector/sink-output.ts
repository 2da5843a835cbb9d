import { ByteBuffer, writeWith, type Counter, type Headers, type Random, type RecordContext, type Serde } from '@millrace/core';
import type { BatchAppender, TopicHandle } from '@millrace/client';
import type { SinkTarget, SinkWriter } from '@millrace/topology';
import { TopicOutput } from './topic-output.ts';
import { WaitingTopics, type WaitingRecord } from './waiting-topics.ts';

/** What a sink needs of its task. */
export interface SinkOwner {
  readonly recordContext: RecordContext;
  /** Returns to drop the record, throws to stop the task. */
  onSerializationError(
    target: SinkTarget,
    topic: string,
    part: 'key' | 'value',
    key: unknown,
    value: unknown,
    error: unknown,
  ): void;
  dropped(node: string, reason: string): void;
  waitFor(pending: Promise<void>): void;
}

export interface SinkOutputOptions {
  readonly appender: BatchAppender;
  readonly random: Random;
  /** Counts the records written. */
  readonly sent: Counter;
  readonly owner: SinkOwner;
  /** For sinks that name no serde of their own. */
  readonly defaultKeySerde: Serde<unknown>;
  readonly defaultValueSerde: Serde<unknown>;
}

/**
 * Writes the records of one sink node: serialises key and value into a buffer that is used again and again, chooses the
 * partition, and appends straight to the open batch. Nothing is allocated per record besides what the serdes allocate.
 *
 * Source: Kafka Streams `RecordCollectorImpl.send`.
 */
export class SinkOutput implements SinkWriter {
  readonly #target: SinkTarget;
  readonly #options: SinkOutputOptions;
  readonly #keySerde: Serde<unknown>;
  readonly #valueSerde: Serde<unknown>;
  readonly #scratch = new ByteBuffer();
  readonly #outputs = new Map<string, TopicOutput>();
  readonly #waiting: WaitingTopics;
  /** The only output of a sink whose topic is fixed, once the topic is known. */
  #fixed: TopicOutput | undefined;

  constructor(target: SinkTarget, options: SinkOutputOptions) {
    this.#target = target;
    this.#options = options;
    this.#keySerde = target.keySerde ?? options.defaultKeySerde;
    this.#valueSerde = target.valueSerde ?? options.defaultValueSerde;
    this.#waiting = new WaitingTopics((topic) => options.appender.topic(topic));
    if (typeof target.topic === 'string') this.#fixed = this.#knownOutput(target.topic);
  }

  send(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown): void {
    const { topic } = this.#target;
    const name = typeof topic === 'string' ? topic : topic(key, value, this.#options.owner.recordContext);
    const scratch = this.#scratch;
    scratch.clear();
    if (!this.#writeKey(name, key, value)) return;
    const keyEnd = scratch.length;
    if (!this.#writeValue(name, key, value, oldValue)) return;
    const keyStart = key == null ? -1 : 0;
    const valueStart = this.#isTombstone(value) ? -1 : keyEnd;

    const output = this.#fixed ?? this.#knownOutput(name);
    if (output === undefined) this.#wait(name, key, value, timestamp, keyStart, keyEnd, valueStart, headers);
    else this.#count(output.append(key, value, timestamp, scratch.bytes, keyStart, keyEnd, valueStart, scratch.length, headers));
  }

  #count(appended: boolean): void {
    if (appended) this.#options.sent.add(1);
    else this.#droppedByPartitioner();
  }

  /** Changes are always written, even those in which both values are absent. */
  #isTombstone(value: unknown): boolean {
    return value == null && this.#target.changeSerde === undefined;
  }

  #writeKey(topic: string, key: unknown, value: unknown): boolean {
    if (key == null) return true;
    try {
      writeWith(this.#keySerde, key, this.#scratch, topic);
      return true;
    } catch (error) {
      this.#options.owner.onSerializationError(this.#target, topic, 'key', key, value, error);
      return false;
    }
  }

  #writeValue(topic: string, key: unknown, value: unknown, oldValue: unknown): boolean {
    const { changeSerde } = this.#target;
    try {
      if (changeSerde !== undefined) this.#scratch.writeBytes(changeSerde.serialize(value, oldValue, topic));
      else if (value != null) writeWith(this.#valueSerde, value, this.#scratch, topic);
      return true;
    } catch (error) {
      this.#options.owner.onSerializationError(this.#target, topic, 'value', key, value, error);
      return false;
    }
  }

  #droppedByPartitioner(): void {
    this.#options.owner.dropped(this.#target.node, 'the partitioner chose no partition');
  }

  #knownOutput(topic: string): TopicOutput | undefined {
    const existing = this.#outputs.get(topic);
    if (existing !== undefined) return existing;
    // The look-up may have ended, but records that came before this one are still on their way.
    if (this.#waiting.has(topic)) return undefined;
    const handle = this.#options.appender.knownTopic(topic);
    return handle === undefined ? undefined : this.#addOutput(handle);
  }

  #addOutput(handle: TopicHandle): TopicOutput {
    const output = new TopicOutput(this.#options.appender, handle, this.#target.partitioner, this.#options.random);
    this.#outputs.set(handle.topic, output);
    if (handle.topic === this.#target.topic) this.#fixed = output;
    return output;
  }

  #wait(
    topic: string,
    key: unknown,
    value: unknown,
    timestamp: number,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    headers: Headers,
  ): void {
    const bytes = Buffer.from(this.#scratch.view());
    const record: WaitingRecord = { key, value, timestamp, bytes, keyStart, keyEnd, valueStart, valueEnd: bytes.length, headers };
    const lookUp = this.#waiting.add(topic, record, (handle, records) => this.#appendWaiting(handle, records));
    if (lookUp !== undefined) this.#options.owner.waitFor(lookUp);
  }

  #appendWaiting(handle: TopicHandle, records: readonly WaitingRecord[]): void {
    const output = this.#outputs.get(handle.topic) ?? this.#addOutput(handle);
    for (const one of records) {
      const appended = output.append(
        one.key,
        one.value,
        one.timestamp,
        one.bytes,
        one.keyStart,
        one.keyEnd,
        one.valueStart,
        one.valueEnd,
        one.headers,
      );
      this.#count(appended);
    }
  }
}
