import { StreamsError, type Headers, type RecordContext } from '@millrace/core';
import type { NodeContext } from '../node/node-processor.ts';

/** A record that came while an earlier one was still being worked on, with the context that it came in. */
interface WaitingRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
}

type Work = (key: unknown, value: unknown, timestamp: number, headers: Headers) => void | Promise<void>;

/**
 * Keeps the records of one node in order when working on one returns a promise: those that the same input record brings
 * meanwhile wait here, and the task waits for all of them. Costs a comparison per record for whoever returns nothing.
 */
export class AsyncRecords {
  readonly #context: NodeContext;
  readonly #work: Work;
  #waiting: WaitingRecord[] | undefined;

  constructor(context: NodeContext, work: Work) {
    this.#context = context;
    this.#work = work;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    if (this.#waiting !== undefined) {
      const { topic, partition, offset } = this.#context.recordContext;
      this.#waiting.push({ key, value, timestamp, headers, topic, partition, offset });
      return;
    }
    const result = this.#work(key, value, timestamp, headers);
    if (result === undefined) return;
    this.#waiting = [];
    this.#context.waitFor(this.#drain(result, key, value));
  }

  async #drain(first: Promise<void>, key: unknown, value: unknown): Promise<void> {
    const waiting = this.#waiting as WaitingRecord[];
    try {
      await this.#settled(first, key, value);
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        setContext(this.#context.recordContext, next);
        await this.#settled(this.#start(next), next.key, next.value);
      }
    } finally {
      this.#waiting = undefined;
    }
  }

  async #start({ key, value, timestamp, headers }: WaitingRecord): Promise<void> {
    await this.#work(key, value, timestamp, headers);
  }

  /** The handler may choose to go on without the record. */
  async #settled(work: Promise<void>, key: unknown, value: unknown): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (error instanceof StreamsError) throw error;
      this.#context.onAsyncError(error, key, value);
    }
  }
}

function setContext(context: RecordContext, record: WaitingRecord): void {
  context.set(record.topic, record.partition, record.offset, record.timestamp, record.headers);
}
