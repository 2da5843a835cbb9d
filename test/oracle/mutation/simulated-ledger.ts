import { seededRandom } from '@millrace/core';
import {
  barrierPrefix,
  changelogOf,
  GRACE_MS,
  groupOf,
  JOIN_MS,
  type Ledger,
  type LedgerEntry,
  type LedgerStore,
  OTHER_STORES,
  OUTPUTS,
  type Output,
  repartitionOf,
  sideOf,
  SOURCE_HEADER,
  STORES,
  topicOf,
  UID_KEY,
  WINDOW_MS,
  windowKey,
} from '../ledger/ledger.ts';
import type { LogEntry, StoreDump } from '../evidence/evidence.ts';
import { SimulatedLogs, type SimulatedProducer } from './simulated-logs.ts';

const RECORDS = 60;
const KEYS = 5;
const STEP_MS = 400;

/** State of all tasks; cloned before a slice, so that an aborted one can be taken back. */
interface LedgerState {
  /** By store and partition. */
  readonly rows: Map<string, Map<string, string>>;
  readonly inputs: number[];
  readonly groups: number[];
  readonly windows: Map<string, number>[];
  /** Records that may still find partners. */
  readonly waiting: Waiting[][];
}

interface Waiting {
  readonly side: 'left' | 'right';
  readonly id: string;
  readonly key: string;
  readonly timestamp: number;
  matched: boolean;
}

/**
 * A ledger that works without a broker and without Millrace: what a right run looks like from outside. Written apart from the
 * model of the oracle, so that the two check each other.
 */
export class SimulatedLedger {
  readonly logs = new SimulatedLogs();
  readonly ledger: Ledger;
  readonly dumps: StoreDump[] = [];
  #state: LedgerState;
  #dirty = new Map<string, Set<string>>();

  constructor(ledger: Ledger, seed: number) {
    this.ledger = ledger;
    const { partitions } = ledger;
    const inputs = [topicOf(ledger, 'in'), topicOf(ledger, 'rates'), repartitionOf(ledger)];
    const stores = [...(Object.keys(STORES) as LedgerStore[]), ...OTHER_STORES].map((store) => changelogOf(ledger, store));
    for (const topic of [...inputs, ...OUTPUTS.map((name) => topicOf(ledger, name)), ...stores])
      this.logs.create(topic, partitions);
    const perPartition = <T>(make: () => T): T[] => Array.from({ length: partitions }, make);
    this.#state = {
      rows: new Map(),
      inputs: perPartition(() => 0),
      groups: perPartition(() => 0),
      windows: perPartition(() => new Map()),
      waiting: perPartition(() => []),
    };
    for (let partition = 0; partition < partitions; partition++) this.#generate(partition, seed);
  }

  get inputOffsets(): readonly number[] {
    return this.#state.inputs;
  }

  get groupOffsets(): readonly number[] {
    return this.#state.groups;
  }

  /** Processes so many records of each partition in one transaction, and what earlier ones put into the repartition topic. */
  slice(records: number, producer: SimulatedProducer, end: { readonly kind: 'commit' | 'abort'; readonly epoch?: number }): void {
    const before = structuredClone(this.#state);
    this.#dirty = new Map();
    for (let partition = 0; partition < this.ledger.partitions; partition++) {
      if (before.inputs[partition] === 0) this.#loadRates(partition);
      const pending = this.logs.committed(topicOf(this.ledger, 'in'), partition, before.inputs[partition]).slice(0, records);
      for (const entry of pending) this.#process(partition, entry, producer);
      for (const entry of this.logs.committed(repartitionOf(this.ledger), partition, before.groups[partition]))
        this.#countGroup(partition, entry, producer);
    }
    this.#flush(producer);
    this.logs.end({ ...producer, producerEpoch: end.epoch ?? producer.producerEpoch }, end.kind);
    if (end.kind === 'abort') this.#state = before;
  }

  /** Copies of all stores, as they lie on the disk; or, asked for them, what is said, which names no offset. */
  dump(worker: string, moment: StoreDump['moment'], isOwner: boolean): void {
    const isCopy = moment === 'kill' || moment === 'end';
    for (const [name, rows] of this.#state.rows) {
      const [store, partition] = name.split('/') as [LedgerStore, string];
      const records = this.logs.committed(changelogOf(this.ledger, store), Number(partition));
      const changelogOffset = isCopy ? (records.at(-1)?.offset ?? -1) + 1 : undefined;
      const taskId = `${STORES[store]}_${partition}`;
      this.dumps.push({ taskId, store, worker, moment, isOwner, changelogOffset, rows: new Map(rows) });
    }
  }

  #generate(partition: number, seed: number): void {
    const random = seededRandom(seed + partition);
    const key = (n: number): string => `p${partition}k${n}`;
    for (let n = 0; n < KEYS; n++) {
      this.logs.append(topicOf(this.ledger, 'rates'), partition, { key: key(n), value: String(n), timestamp: 1 });
      if (n === 2) this.logs.append(topicOf(this.ledger, 'rates'), partition, { key: key(n), value: undefined, timestamp: 2 });
    }
    for (let seq = 0; seq <= RECORDS; seq++) {
      const isBarrier = seq === RECORDS;
      const disorder = Math.floor(random.next() * 1000);
      const timestamp = isBarrier ? 100_000_000 : 10_000 + seq * STEP_MS - disorder;
      const entry: LedgerEntry = { id: `${partition}-${seq}`, seq, v: isBarrier ? 0 : 1 + Math.floor(random.next() * 9) };
      const name = isBarrier ? barrierPrefix(partition) : key(Math.floor(random.next() * KEYS));
      this.logs.append(topicOf(this.ledger, 'in'), partition, { key: name, value: JSON.stringify(entry), timestamp });
    }
  }

  #loadRates(partition: number): void {
    for (const { key = '', value } of this.logs.committed(topicOf(this.ledger, 'rates'), partition))
      this.#put('rates', partition, key, value);
  }

  #process(partition: number, entry: LogEntry, producer: SimulatedProducer): void {
    const { key = '', value = '', timestamp, offset } = entry;
    const { id, v } = JSON.parse(value) as LedgerEntry;
    const headers = { [SOURCE_HEADER]: `${partition}:${offset}` };
    const out = (name: Output, output: object | string, outKey = key): number =>
      this.logs.append(
        topicOf(this.ledger, name),
        partition,
        { key: outKey, value: typeof output === 'string' ? output : JSON.stringify(output), timestamp, headers },
        producer,
      );
    out('echo', value);
    const last = this.#json<{ n: number; sum: number }>('sums', partition, key) ?? { n: 0, sum: 0 };
    const sum = { n: last.n + 1, sum: last.sum + v, id };
    this.#put('sums', partition, key, JSON.stringify(sum));
    out('sum', sum);
    this.#put('counts', partition, key, JSON.stringify({ n: sum.n, id }));
    const rate = this.#row('rates', partition).get(key);
    out('joined', { id, rate: rate === undefined ? null : Number(rate) });
    const next = this.#json<number>('uids', partition, UID_KEY) ?? 0;
    this.#put('uids', partition, UID_KEY, String(next + 1));
    out('uid', { id, uid: next * this.ledger.partitions + partition });
    const group = groupOf(key);
    const to = Number(group.slice(1)) % this.ledger.partitions;
    this.logs.append(repartitionOf(this.ledger), to, { key: group, value, timestamp }, producer);
    this.#window(partition, key, timestamp, out);
    const side = sideOf(key, { v });
    if (side !== undefined) this.#pair(partition, { side, id, key, timestamp, matched: false }, out);
    this.#state.inputs[partition] = offset + 1;
  }

  #window(partition: number, key: string, timestamp: number, out: (name: Output, value: object, key: string) => number): void {
    const windows = this.#state.windows[partition] as Map<string, number>;
    const name = windowKey(key, timestamp - (timestamp % WINDOW_MS));
    windows.set(name, (windows.get(name) ?? 0) + 1);
    for (const [closed, n] of windows) {
      if (Number(closed.split('@')[1]) + WINDOW_MS + GRACE_MS > timestamp) continue;
      out('win', { n }, closed);
      windows.delete(closed);
    }
  }

  #pair(partition: number, record: Waiting, out: (name: Output, value: object, key: string) => number): void {
    const waiting = this.#state.waiting[partition] as Waiting[];
    const isOver = ({ timestamp }: Waiting): boolean => timestamp + JOIN_MS + GRACE_MS < record.timestamp;
    for (const { side, id, key, matched } of waiting.filter(isOver))
      if (side === 'left' && !matched) out('pairs', { left: id, right: null }, key);
    const rest = waiting.filter((one) => !isOver(one));
    for (const other of rest) {
      const isNear = Math.abs(other.timestamp - record.timestamp) <= JOIN_MS;
      if (other.side === record.side || other.key !== record.key || !isNear) continue;
      const [left, right] = record.side === 'left' ? [record, other] : [other, record];
      out('pairs', { left: left.id, right: right.id }, record.key);
      left.matched = true;
    }
    waiting.splice(0, waiting.length, ...rest, record);
  }

  #countGroup(partition: number, { key = '', value = '', timestamp, offset }: LogEntry, producer: SimulatedProducer): void {
    const { id } = JSON.parse(value) as LedgerEntry;
    const n = (this.#json<{ n: number }>('group-counts', partition, key)?.n ?? 0) + 1;
    this.#put('group-counts', partition, key, JSON.stringify({ n, id }));
    this.logs.append(topicOf(this.ledger, 'rcnt'), partition, { key, value: JSON.stringify({ n, id }), timestamp }, producer);
    this.#state.groups[partition] = offset + 1;
  }

  /** What a commit writes: changelogs, and the counts that the cache has held back. */
  #flush(producer: SimulatedProducer): void {
    for (const [name, keys] of this.#dirty) {
      const [store, partition] = name.split('/') as [LedgerStore, string];
      for (const key of keys) {
        const record = { key, value: this.#row(store, Number(partition)).get(key), timestamp: 5 };
        this.logs.append(changelogOf(this.ledger, store), Number(partition), record, producer);
        if (store === 'counts') this.logs.append(topicOf(this.ledger, 'cnt'), Number(partition), record, producer);
      }
    }
  }

  #row(store: LedgerStore, partition: number): Map<string, string> {
    const name = `${store}/${partition}`;
    const rows = this.#state.rows.get(name) ?? new Map();
    this.#state.rows.set(name, rows);
    return rows;
  }

  #json<T>(store: LedgerStore, partition: number, key: string): T | undefined {
    const text = this.#row(store, partition).get(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  #put(store: LedgerStore, partition: number, key: string, value: string | undefined): void {
    if (value === undefined) this.#row(store, partition).delete(key);
    else this.#row(store, partition).set(key, value);
    const name = `${store}/${partition}`;
    this.#dirty.set(name, (this.#dirty.get(name) ?? new Set()).add(key));
  }
}
