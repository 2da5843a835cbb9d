import { CancelledError } from '@millrace/core';
import {
  produce,
  readBatchHeader,
  RecordBatchHeader,
  RecordCursor,
  type ProduceRequest,
  type ResponseInput,
} from '@millrace/wire';
import type { ScriptedTransport } from './scripted-transport.ts';

/** A batch that reached the log. */
export interface AppendedBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly values: readonly string[];
}

/** What became of one batch. */
interface Verdict {
  readonly errorCode: number;
  readonly baseOffset: number;
}

interface ProducerState {
  epoch: number;
  next: number;
  /** Base sequence and offset of what was appended, to recognise repetitions. */
  readonly seen: Map<number, number>;
}

const SEQUENCES = 2 ** 31;

/**
 * A log that checks producers as a partition leader does: repetitions are acknowledged and not appended, gaps are refused,
 * old epochs are fenced. One for all partitions of a scripted cluster.
 */
export class ScriptedLog {
  readonly #partitions = new Map<string, AppendedBatch[]>();
  readonly #offsets = new Map<string, number>();
  readonly #producers = new Map<string, ProducerState>();

  /** Takes in what the transport's brokers are sent. */
  attach(transport: ScriptedTransport): this {
    transport.on(produce, (request) => this.append(request));
    return this;
  }

  batches(topic: string, partition: number): readonly AppendedBatch[] {
    return this.#partitions.get(`${topic} ${partition}`) ?? [];
  }

  values(topic: string, partition: number): string[] {
    return this.batches(topic, partition).flatMap(({ values }) => values);
  }

  /** The broker loses what it knows of the producers of a partition. */
  forgetProducers(): void {
    this.#producers.clear();
  }

  /** Appends what the checks let through, and answers. */
  append(request: ProduceRequest): ResponseInput<typeof produce> {
    return {
      responses: request.topicData.map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index, records }) => ({
          index,
          ...this.#appendBatch(`${name} ${index}`, records),
        })),
      })),
    };
  }

  #appendBatch(key: string, records: Buffer | undefined): Verdict {
    if (records === undefined) throw new CancelledError('a Produce request without records');
    const header = new RecordBatchHeader();
    readBatchHeader(records, 0, header);
    const verdict = header.producerId === -1 ? undefined : this.#check(key, header);
    if (verdict !== undefined) return verdict;
    const baseOffset = this.#offsets.get(key) ?? 0;
    this.#offsets.set(key, baseOffset + header.recordCount);
    this.#remember(key, header, baseOffset);
    const { producerId, producerEpoch, baseSequence, isTransactional } = header;
    const batch = { producerId, producerEpoch, baseSequence, isTransactional, values: valuesOf(records, header) };
    this.#partitions.set(key, [...(this.#partitions.get(key) ?? []), batch]);
    return { errorCode: 0, baseOffset };
  }

  #check(key: string, header: RecordBatchHeader): Verdict | undefined {
    const state = this.#producers.get(`${key} ${header.producerId}`);
    if (state === undefined) return header.baseSequence === 0 ? undefined : { errorCode: 59, baseOffset: -1 };
    if (header.producerEpoch < state.epoch) return { errorCode: 47, baseOffset: -1 };
    if (header.producerEpoch > state.epoch) return header.baseSequence === 0 ? undefined : { errorCode: 45, baseOffset: -1 };
    const repeated = state.seen.get(header.baseSequence);
    if (repeated !== undefined) return { errorCode: 0, baseOffset: repeated };
    return header.baseSequence === state.next ? undefined : { errorCode: 45, baseOffset: -1 };
  }

  #remember(key: string, header: RecordBatchHeader, baseOffset: number): void {
    if (header.producerId === -1) return;
    const name = `${key} ${header.producerId}`;
    const known = this.#producers.get(name);
    const state = known?.epoch === header.producerEpoch ? known : { epoch: header.producerEpoch, next: 0, seen: new Map() };
    state.next = (header.baseSequence + header.recordCount) % SEQUENCES;
    state.seen.set(header.baseSequence, baseOffset);
    this.#producers.set(name, state);
  }
}

function valuesOf(records: Buffer, header: RecordBatchHeader): string[] {
  const values: string[] = [];
  const cursor = new RecordCursor();
  cursor.open(records, header);
  while (cursor.next()) values.push(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd));
  return values;
}
