import type { DevBroker } from '@millrace/broker';
import { deleteRecords } from '@millrace/wire';
import type { LiveRecord, PurgeSample } from '../../oracle/evidence/evidence.ts';
import { partitionName } from '../../oracle/evidence/log-view.ts';
import { type Ledger, repartitionOf } from '../../oracle/ledger/ledger.ts';
import type { SimulatedNetwork } from '../world/simulated-network.ts';

/** Longer than markers take. */
const MARKERS_MS = 500;

interface Start {
  readonly partition: number;
  readonly logStartOffset: number;
  readonly atMs: number;
}

/**
 * Looks into the repartition topic each time that somebody is about to delete from it: what was there is remembered, and how far
 * its reader had come.
 */
export class RepartitionWatch {
  readonly purges: PurgeSample[] = [];
  readonly #ledger: Ledger;
  readonly #broker: () => DevBroker | undefined;
  readonly #records = new Map<string, Map<number, LiveRecord>>();

  readonly #nowMs: () => number;
  #starts: readonly Start[] = [];
  #lookedAt: DevBroker | undefined;

  constructor(ledger: Ledger, network: SimulatedNetwork, broker: () => DevBroker | undefined, nowMs: () => number) {
    this.#ledger = ledger;
    this.#nowMs = nowMs;
    this.#broker = broker;
    network.listen(({ apiKey }) => {
      if (apiKey === deleteRecords.key) this.look();
      return undefined;
    });
  }

  /** Committed records by partition, those that were deleted too. */
  get records(): Map<string, LiveRecord[]> {
    return new Map(
      [...this.#records].map(([name, records]) => [
        name,
        [...records.values()].toSorted((one, other) => one.offset - other.offset),
      ]),
    );
  }

  look(): void {
    const broker = this.#broker();
    if (broker === undefined) return;
    if (broker !== this.#lookedAt) this.#waitAgain();
    this.#lookedAt = broker;
    const topic = repartitionOf(this.#ledger);
    const contents = broker.inspect();
    const offsets = contents.groups.find(({ groupId }) => groupId === this.#ledger.applicationId)?.offsets ?? [];
    const partitions = contents.topics.find(({ name }) => name === topic)?.partitions ?? [];
    for (const [partition, { logStartOffset, lastStableOffset }] of partitions.entries()) {
      const committedOffset = offsets.find((one) => one.topic === topic && one.partition === partition)?.offset ?? -1;
      this.#judgeEarlier(partition, committedOffset);
      this.#starts = [...this.#starts, { partition, logStartOffset, atMs: this.#nowMs() }];
      this.#remember(broker, partition, lastStableOffset);
    }
  }

  /** A broker that was away writes the markers that it owes after it has come back. */
  #waitAgain(): void {
    const atMs = this.#nowMs();
    this.#starts = this.#starts.map((one) => ({ ...one, atMs }));
  }

  /** A commit is decided before its markers show it: what began where is compared with what is committed a little later. */
  #judgeEarlier(partition: number, committedOffset: number): void {
    const untilMs = this.#nowMs() - MARKERS_MS;
    const topic = repartitionOf(this.#ledger);
    const isDue = (one: Start): boolean => one.partition === partition && one.atMs <= untilMs;
    for (const { logStartOffset } of this.#starts.filter(isDue))
      this.purges.push({ topic, partition, logStartOffset, committedOffset });
    this.#starts = this.#starts.filter((one) => !isDue(one));
  }

  #remember(broker: DevBroker, partition: number, lastStableOffset: number): void {
    const topic = repartitionOf(this.#ledger);
    const name = partitionName({ topic, partition });
    const known = this.#records.get(name) ?? new Map<number, LiveRecord>();
    this.#records.set(name, known);
    for (const { isAborted, records } of broker.readLog(topic, partition)) {
      for (const { offset, key, value } of isAborted ? [] : records) {
        if (offset >= lastStableOffset || known.has(offset)) continue;
        known.set(offset, { offset, key: key?.toString('latin1'), value: value?.toString('latin1') });
      }
    }
  }
}
