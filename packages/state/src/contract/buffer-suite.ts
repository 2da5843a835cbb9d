import { json, string } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangeBuffer, RecordBuffer } from '../contracts/buffers.ts';
import { changeBuffer, recordBuffer } from '../stores/buffer-store.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { assertBehavesLikeModel, type StoreModel } from './store-model.ts';
import { StoreRig } from './store-rig.ts';

interface Box {
  readonly n: number;
}

type Emitted = readonly [key: string, value: Box | undefined, old: Box | undefined, timestamp: number];

const keys = ['a', 'ab', 'b', 'é'];
const graceMs = 20;

export function describeBuffers(harness: StateEngineHarness): void {
  describe('buffer of changes', () => {
    describeChangelog(harness);
    describeContext(harness);

    it.each([undefined, 0])('behaves like a sorted list with one change per key (memory: %s bytes)', async (memoryBytes) => {
      const builder = changeBuffer('store', string(), json<Box>(), { memoryBytes });
      const emitted: Emitted[] = [];
      await assertBehavesLikeModel(harness, {
        builder,
        commands: commands(),
        createModel: (rig) => new ChangesModel(emitted, (timestamp) => rig().workOn(timestamp)),
      });
    });
  });

  describe('buffer of records', () => {
    it.each([undefined, 0])('behaves like a sorted list (memory: %s bytes)', async (memoryBytes) => {
      const builder = recordBuffer('store', string(), json<Box>(), { memoryBytes, graceMs });
      const emitted: Emitted[] = [];
      await assertBehavesLikeModel(harness, {
        builder,
        commands: commands(),
        createModel: (rig) => new RecordsModel(emitted, (timestamp) => rig().workOn(timestamp)),
      });
    });
  });
}

function describeChangelog(harness: StateEngineHarness): void {
  it("writes Kafka Streams' changelog records, version 3", async () => {
    const rig = await StoreRig.open(changeBuffer('store', string(), string()), { harness });
    rig.store.setListener(() => undefined);
    rig.record.set('t', 1, 2, 3, [{ key: 'h', value: undefined }]);
    rig.store.put(9, 'k', 'new', 'old');
    rig.store.put(9, 'gone', 'x', undefined);
    await rig.commit();
    rig.store.emitFirst();
    await rig.commit();
    const context = '0000000000000003' + '0000000000000002' + '0000000174' + '00000001' + '000000010000000168ffffffff';
    const values = '000000036f6c64' + 'fffffffe' + '000000036e6577';
    const [first] = rig.changelog;
    expect(first).toMatchObject({ timestamp: 3, headers: [{ key: 'v', value: Buffer.from([3]) }] });
    expect(String(first?.key)).toBe('k');
    expect(first?.value?.toString('hex')).toBe(`${context}${values}0000000000000009`);
    expect(rig.changelog.map(({ key, value }) => [String(key), value === undefined])).toEqual([
      ['k', false],
      ['gone', false],
      ['gone', true],
    ]);
    await rig.close();
  });

  it('writes nothing for what came and left between two commits', async () => {
    const rig = await StoreRig.open(changeBuffer('store', string(), string()), { harness });
    rig.store.setListener(() => undefined);
    rig.store.put(9, 'k', 'new', undefined);
    rig.store.emitFirst();
    await rig.commit();
    expect(rig.changelog).toEqual([]);
    await rig.close();
  });
}

function describeContext(harness: StateEngineHarness): void {
  it('lets a change leave with the context of the record that made it, after a restart too', async () => {
    const rig = await StoreRig.open(changeBuffer('store', string(), string()), { harness });
    const headers = [{ key: 'h', value: Buffer.from('x') }];
    rig.record.set('t', 1, 2, 3, headers);
    rig.store.put(9, 'k', 'new', undefined);
    await rig.commit();
    await rig.reopen();
    rig.record.set('other', 0, 0, 50, []);
    const seen: unknown[] = [];
    rig.store.setListener((key) => seen.push([key, { ...rig.record }]));
    rig.store.emitFirst();
    expect(seen).toEqual([['k', { topic: 't', partition: 1, offset: 2, timestamp: 3, headers }]]);
    expect(rig.record).toMatchObject({ topic: 'other', timestamp: 50 });
    await rig.close();
  });
}

interface Command {
  readonly do: 'put' | 'emit';
  readonly key: string;
  readonly n: number;
  readonly time: number;
}

function commands(): fc.Arbitrary<Command> {
  const what = fc.constantFrom('put' as const, 'put' as const, 'emit' as const);
  return fc.record({ do: what, key: fc.constantFrom(...keys), n: fc.nat(9), time: fc.nat(60) });
}

const byteOrder = (a: string, b: string) => Buffer.from(a).compare(Buffer.from(b));

interface Change {
  readonly key: string;
  readonly time: number;
  readonly prior: Box | undefined;
  readonly emitted: Emitted;
}

/** Zero stands for a deletion. */
const box = (n: number): Box | undefined => (n === 0 ? undefined : { n });

class ChangesModel implements StoreModel<ChangeBuffer<string, Box>, Command> {
  readonly #emitted: Emitted[];
  readonly #workOn: (timestamp: number) => void;
  readonly #waiting: Map<string, Change>;

  constructor(emitted: Emitted[], workOn: (timestamp: number) => void, waiting: ReadonlyMap<string, Change> = new Map()) {
    this.#emitted = emitted;
    this.#workOn = workOn;
    this.#waiting = new Map(waiting);
  }

  attach(store: ChangeBuffer<string, Box>): void {
    store.setListener((key, value, old, timestamp) => this.#emitted.push([key, value, old, timestamp]));
  }

  run(store: ChangeBuffer<string, Box>, { do: what, key, n, time }: Command): void {
    if (what === 'emit') {
      const [first] = this.#sorted();
      expect(store.minTime).toBe(first?.time ?? Infinity);
      if (first === undefined) return;
      this.#waiting.delete(first.key);
      this.#emitted.length = 0;
      store.emitFirst();
      expect(this.#emitted).toEqual([first.emitted]);
      return;
    }
    const [value, old] = [box(n), box((n + time) % 3)];
    this.#workOn(time + n);
    store.put(time, key, value, old);
    const before = this.#waiting.get(key);
    const change = { key, time: before?.time ?? time, prior: before === undefined ? old : before.prior };
    this.#waiting.set(key, { ...change, emitted: [key, value, old, time + n] });
  }

  #sorted(): Change[] {
    return [...this.#waiting.values()].sort((a, b) => a.time - b.time || byteOrder(a.key, b.key));
  }

  async compare(store: ChangeBuffer<string, Box>): Promise<void> {
    expect(store.size).toBe(this.#waiting.size);
    expect(store.bytes > 0).toBe(this.#waiting.size > 0);
    for (const key of keys) {
      expect(store.has(key)).toBe(this.#waiting.has(key));
      expect(store.priorValue(key)).toEqual(this.#waiting.get(key)?.prior);
    }
  }

  copy(): ChangesModel {
    return new ChangesModel(this.#emitted, this.#workOn, this.#waiting);
  }
}

interface Waiting {
  readonly key: string;
  readonly value: Box;
  readonly time: number;
  readonly arrival: number;
}

class RecordsModel implements StoreModel<RecordBuffer<string, Box>, Command> {
  readonly #emitted: Emitted[];
  readonly #workOn: (timestamp: number) => void;
  #waiting: readonly Waiting[];
  #arrivals = 0;

  constructor(emitted: Emitted[], workOn: (timestamp: number) => void, waiting: readonly Waiting[] = []) {
    this.#emitted = emitted;
    this.#workOn = workOn;
    this.#waiting = waiting;
    this.#arrivals = Math.max(0, ...waiting.map(({ arrival }) => arrival + 1));
  }

  attach(store: RecordBuffer<string, Box>): void {
    store.setListener((key, value, old, timestamp) => this.#emitted.push([key, value, old, timestamp]));
  }

  run(store: RecordBuffer<string, Box>, { do: what, key, n, time }: Command): void {
    if (what === 'put') {
      this.#workOn(time);
      // How late a record may be is tested with the join: it is forgotten with a restart when nothing waits.
      if (store.put(key, { n }, time)) {
        this.#waiting = [...this.#waiting, { key, value: { n }, time, arrival: this.#arrivals++ }];
      }
      return;
    }
    const sorted = this.#waiting.toSorted((a, b) => a.time - b.time || byteOrder(a.key, b.key) || a.arrival - b.arrival);
    this.#emitted.length = 0;
    store.emitExpired();
    const count = this.#emitted.length;
    expect(this.#emitted).toEqual(sorted.slice(0, count).map(({ key, value, time }) => [key, value, undefined, time]));
    const newest = sorted.at(-1);
    for (const left of sorted.slice(0, count)) expect(left.time).toBeLessThanOrEqual(Math.max(60, newest?.time ?? 0) - graceMs);
    if (newest !== undefined) expect(store.minTime).toBeGreaterThan(newest.time - graceMs);
    this.#waiting = sorted.slice(count);
  }

  async compare(store: RecordBuffer<string, Box>): Promise<void> {
    expect(store.size).toBe(this.#waiting.length);
    expect(store.minTime).toBe(Math.min(...this.#waiting.map(({ time }) => time)));
  }

  copy(): RecordsModel {
    return new RecordsModel(this.#emitted, this.#workOn, this.#waiting);
  }
}
