import type { LogEntry, PartitionLog } from '../evidence/evidence.ts';
import { committedRecords, partitionName, verdicts } from '../evidence/log-view.ts';

export interface SimulatedProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface SimulatedRecord {
  readonly key: string;
  readonly value: string | undefined;
  readonly timestamp: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Partitions that are written to as a broker would have them written to: records, markers, offsets. */
export class SimulatedLogs {
  readonly #entries = new Map<string, LogEntry[]>();
  readonly #places = new Map<string, { readonly topic: string; readonly partition: number }>();
  readonly #touched = new Map<number, Set<string>>();

  create(topic: string, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      this.#places.set(partitionName({ topic, partition }), { topic, partition });
      this.#entries.set(partitionName({ topic, partition }), []);
    }
  }

  /** @param producer of a transaction; without it the record belongs to none */
  append(topic: string, partition: number, record: SimulatedRecord, producer?: SimulatedProducer): number {
    const name = partitionName({ topic, partition });
    const entries = this.#entries.get(name) as LogEntry[];
    const { producerId, producerEpoch } = producer ?? { producerId: -1, producerEpoch: -1 };
    const isTransactional = producer !== undefined;
    const { headers = {}, ...rest } = record;
    entries.push({ offset: entries.length, kind: 'record', producerId, producerEpoch, isTransactional, headers, ...rest });
    if (isTransactional) this.#touched.set(producerId, (this.#touched.get(producerId) ?? new Set()).add(name));
    return entries.length - 1;
  }

  /** Ends the open transaction of a producer, with the epoch of whoever ends it. */
  end({ producerId, producerEpoch }: SimulatedProducer, kind: 'commit' | 'abort'): void {
    for (const name of this.#touched.get(producerId) ?? []) {
      const entries = this.#entries.get(name) as LogEntry[];
      const nothing = { timestamp: 0, key: undefined, value: undefined, headers: {} };
      entries.push({ offset: entries.length, kind, producerId, producerEpoch, isTransactional: true, ...nothing });
    }
    this.#touched.delete(producerId);
  }

  /** Committed records of a partition from an offset on. */
  committed(topic: string, partition: number, from = 0): LogEntry[] {
    return committedRecords(this.#log(partitionName({ topic, partition }))).filter(({ offset }) => offset >= from);
  }

  endOffset(topic: string, partition: number): number {
    return this.#entries.get(partitionName({ topic, partition }))?.length ?? 0;
  }

  all(): Map<string, PartitionLog> {
    return new Map([...this.#entries.keys()].map((name) => [name, this.#log(name)]));
  }

  #log(name: string): PartitionLog {
    const entries = this.#entries.get(name) as LogEntry[];
    const place = this.#places.get(name) as { readonly topic: string; readonly partition: number };
    const log = { ...place, logStartOffset: 0, highWatermark: entries.length, lastStableOffset: entries.length, entries };
    const shown = [...verdicts({ ...log, visible: new Set() })].filter(
      ([, verdict]) => verdict !== 'aborted' && verdict !== 'open',
    );
    return { ...log, visible: new Set(shown.map(([offset]) => offset)) };
  }
}
