import { type Clock, type Headers, type RecordContext, StreamsError } from '@millrace/core';
import type { AsyncLane, AsyncOperator, AsyncSettings } from '@millrace/topology';
import type { KeptRecord } from '../task/source-records.ts';
import { AsyncRecord } from './async-record.ts';
import { Attempts } from './attempts.ts';
import { orderKey } from './order-key.ts';

/** What a lane needs of the task around it. */
export interface LaneOwner {
  readonly clock: Clock;
  readonly recordContext: RecordContext;
  /** Records held, functions running, lanes that are full: by how much the number changes. */
  onHeld(change: 1 | -1): void;
  onOpenCalls(change: 1 | -1): void;
  onFull(change: 1 | -1): void;
  /** Something can be forwarded, or has changed that somebody may wait for. */
  onProgress(): void;
  /** The bytes that the record in work came as: the queue that it came from goes on before its result is forwarded. */
  keepSource(): KeptRecord | undefined;
  resumeSource(source: KeptRecord | undefined): void;
  onRetry(node: string, record: AsyncRecord, error: unknown): void;
  /** Returns when the task goes on without the record, throws when it stops. */
  onProcessingError(node: string, error: unknown, key: unknown, value: unknown): void;
}

/**
 * The records that one asynchronous operator of a task holds: which may be called for, and which may be forwarded.
 *
 * A record is *held* from `submit` until it has been forwarded. It waits behind those of its key (unless the order is `none`),
 * then for one of `concurrency` calls; when its call has ended it is *ready*, in the order `perPartition` once all before it
 * in its input partition are. More than `concurrency` are held only when one input record makes several, or a flushed cache
 * does: the task takes no other record while a lane is full.
 */
export class TaskAsyncLane implements AsyncLane {
  readonly node: string;
  readonly #operator: AsyncOperator;
  readonly #settings: AsyncSettings;
  readonly #owner: LaneOwner;
  readonly #attempts: Attempts;
  readonly #held = new Set<AsyncRecord>();
  /** The last held record of each key. */
  readonly #tails = new Map<unknown, AsyncRecord>();
  /** Order `perPartition`: the held records of each input topic, of which a task has one partition. */
  readonly #sequences = new Map<string | undefined, AsyncRecord[]>();
  /** Waiting for one of the calls. */
  readonly #startable: AsyncRecord[] = [];
  readonly #ready: AsyncRecord[] = [];
  /** Records whose call is under way, or pauses before its next attempt. */
  #called = 0;
  #isFull = false;

  constructor(node: string, operator: AsyncOperator, settings: AsyncSettings, owner: LaneOwner) {
    this.node = node;
    this.#operator = operator;
    this.#settings = settings;
    this.#owner = owner;
    this.#attempts = new Attempts(operator, settings, owner.clock, {
      onOpenCalls: (change) => owner.onOpenCalls(change),
      onRetry: (record, error) => {
        owner.onRetry(node, record, error);
        owner.onProgress();
      },
      onSettled: (record) => this.#settled(record),
    });
  }

  /** True when it holds as many records as it may. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** True when a result can be forwarded. */
  get isReady(): boolean {
    return this.#ready.length > 0;
  }

  submit(key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    const record = new AsyncRecord(key, value, timestamp, headers, this.#owner.recordContext, this.#owner.keepSource());
    this.#held.add(record);
    this.#owner.onHeld(1);
    if (this.#settings.order === 'perPartition') this.#sequence(record.topic).push(record);
    if (this.#takesItsTurn(record)) this.#startable.push(record);
    this.#startCalls();
    this.#noteFull();
  }

  /** Puts the record behind those of its key; true when there is none. */
  #takesItsTurn(record: AsyncRecord): boolean {
    if (this.#settings.order === 'none') return true;
    record.orderKey = orderKey(record.key);
    if (record.orderKey === undefined) return true;
    const tail = this.#tails.get(record.orderKey);
    this.#tails.set(record.orderKey, record);
    if (tail === undefined) return true;
    tail.next = record;
    return false;
  }

  #startCalls(): void {
    while (this.#called < this.#settings.concurrency) {
      const record = this.#startable.shift();
      if (record === undefined) return;
      this.#called++;
      this.#attempts.start(record);
    }
  }

  #settled(record: AsyncRecord): void {
    this.#called--;
    if (this.#settings.order !== 'perPartition' || this.#sequence(record.topic)[0] === record) this.#ready.push(record);
    this.#startCalls();
    this.#owner.onProgress();
  }

  /**
   * Hands the next ready result to the operator, as if its record were being processed now.
   *
   * @throws what stops the task
   */
  forwardNext(): void {
    const record = this.#ready.shift();
    if (record?.outcome === undefined) return;
    const { outcome, key, value, timestamp, headers } = record;
    record.enter(this.#owner.recordContext);
    this.#owner.resumeSource(record.source);
    if (!outcome.succeeded) this.#owner.onProcessingError(this.node, outcome.error, key, value);
    else this.#complete(outcome.result, key, value, timestamp, headers);
    this.#release(record);
  }

  /** Errors of the framework have been decided about already, further down. */
  #complete(result: unknown, key: unknown, value: unknown, timestamp: number, headers: Headers): void {
    try {
      this.#operator.complete(result, key, value, timestamp, headers);
    } catch (error) {
      if (error instanceof StreamsError) throw error;
      this.#owner.onProcessingError(this.node, error, key, value);
    }
  }

  #release(record: AsyncRecord): void {
    this.#held.delete(record);
    this.#owner.onHeld(-1);
    if (this.#settings.order === 'perPartition') this.#moveUp(record.topic);
    if (record.next !== undefined) this.#startable.push(record.next);
    else if (record.orderKey !== undefined) this.#tails.delete(record.orderKey);
    this.#startCalls();
    this.#noteFull();
  }

  #moveUp(topic: string | undefined): void {
    const sequence = this.#sequence(topic);
    sequence.shift();
    const first = sequence[0];
    if (first === undefined) this.#sequences.delete(topic);
    else if (first.outcome !== undefined) this.#ready.push(first);
  }

  #sequence(topic: string | undefined): AsyncRecord[] {
    let sequence = this.#sequences.get(topic);
    if (sequence === undefined) {
      sequence = [];
      this.#sequences.set(topic, sequence);
    }
    return sequence;
  }

  #noteFull(): void {
    const isFull = this.#held.size >= this.#settings.concurrency;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#owner.onFull(isFull ? 1 : -1);
  }

  /** Forgets every record and aborts the calls for them. The lane takes nothing afterwards. */
  abandon(reason: DOMException): void {
    for (const record of this.#held) {
      this.#attempts.abandon(record, reason);
      this.#owner.onHeld(-1);
    }
    this.#held.clear();
    this.#tails.clear();
    this.#sequences.clear();
    this.#startable.length = 0;
    this.#ready.length = 0;
    this.#noteFull();
  }
}
