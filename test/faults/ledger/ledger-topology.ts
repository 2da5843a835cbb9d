import { type Header, json, type Serde, string, topic } from '@millrace/core';
import { StreamsBuilder, TimeWindows, untilWindowCloses } from '@millrace/dsl';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import type { FixedKeyProcessor, FixedKeyProcessorContext, FixedKeyProcessorSupplier, Topology } from '@millrace/topology';
import {
  type CountValue,
  GRACE_MS,
  groupOf,
  JOIN_MS,
  type JoinedValue,
  type Ledger,
  type LedgerEntry,
  type PairValue,
  sideOf,
  SOURCE_HEADER,
  type SumValue,
  topicOf,
  UID_KEY,
  type UidValue,
  WINDOW_MS,
  windowKey,
  type WindowValue,
} from '../../oracle/ledger/ledger.ts';

/** What the process around the ledger wants to know and to do. */
export interface LedgerHooks {
  readonly onTask: (change: 'opened' | 'closed', taskId: string) => void;
  /** Does what a record orders: throws, waits, blocks. Undefined: go on at once. */
  readonly obey: (order: string) => void | Promise<void>;
  /** Reads the entries of the input. Default: JSON. */
  readonly entry?: Serde<LedgerEntry> | undefined;
}

const entries = { key: string(), value: json<LedgerEntry>() };

const PAIRS = { key: string(), left: entries.value, right: entries.value, value: json<PairValue>() };

/** The workload under test, written with the public DSL and Processor API only. */
export function buildLedger(ledger: Ledger, hooks: LedgerHooks): Topology {
  const builder = new StreamsBuilder();
  const out = <T>(name: Parameters<typeof topicOf>[1]) => topic(topicOf(ledger, name), { key: string(), value: json<T>() });
  const rates = builder.table(out<number>('rates'), { store: 'rates' });
  const { entry = entries.value } = hooks;
  const input = builder
    .stream(topic(topicOf(ledger, 'in'), { ...entries, value: entry }))
    .processValues(gate(hooks), { value: json<LedgerEntry>() });
  input.to(out<LedgerEntry>('echo'));
  input
    .leftJoin(rates, ({ id }, rate): JoinedValue => ({ id, rate: rate ?? null }), { value: json<JoinedValue>() })
    .to(out<JoinedValue>('joined'));
  input.processValues(uidAssigner(ledger), { value: json<UidValue>() }).to(out<UidValue>('uid'));

  const byKey = input.groupByKey(entries);
  byKey
    .aggregate(noSum, addToSum, { store: 'sums', value: json<SumValue>(), caching: false })
    .toStream()
    .to(out<SumValue>('sum'));
  byKey
    .aggregate(noCount, addToCount, { store: 'counts', value: json<CountValue>(), caching: ledger.cached })
    .toStream()
    .to(out<CountValue>('cnt'));
  byKey
    .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW_MS, GRACE_MS))
    .aggregate(
      () => ({ n: 0 }),
      ({ n }): WindowValue => ({ n: n + 1 }),
      { store: 'windows', value: json<WindowValue>() },
    )
    .suppress(untilWindowCloses(), { name: 'closed' })
    .toStream()
    .map((count, { key, window }) => [windowKey(key, window.start), count])
    .to(out<WindowValue>('win'));
  input
    .groupBy((_entry, key) => groupOf(key), { ...entries, name: 'groups' })
    .aggregate(noCount, addToCount, { store: 'group-counts', value: json<CountValue>(), caching: false })
    .toStream()
    .processValues(reporter(hooks), { value: json<CountValue>() })
    .to(out<CountValue>('rcnt'));
  // Tasks with nothing but the stores of a join: what is missing there shows in no other store's look-ups.
  const echo = builder.stream(out<LedgerEntry>('echo'));
  echo
    .filter((entry, key) => sideOf(key, entry) === 'left')
    .leftJoin(
      echo.filter((entry, key) => sideOf(key, entry) === 'right'),
      (left, right): PairValue => ({ left: left.id, right: right?.id ?? null }),
      { within: JOIN_MS, grace: GRACE_MS, storeName: 'pairs', ...PAIRS },
    )
    .processValues(reporter(hooks), { value: json<PairValue>() })
    .to(out<PairValue>('pairs'));
  return builder.build();
}

const noSum = (): SumValue => ({ n: 0, sum: 0, id: '' });
const addToSum = (last: SumValue, { id, v }: LedgerEntry): SumValue => ({ n: last.n + 1, sum: last.sum + v, id });
const noCount = (): CountValue => ({ n: 0, id: '' });
const addToCount = (last: CountValue, { id }: LedgerEntry): CountValue => ({ n: last.n + 1, id });

/** Obeys the orders in records, and marks each with the place that it came from. */
function gate(hooks: LedgerHooks): FixedKeyProcessorSupplier<string, LedgerEntry, LedgerEntry> {
  return () => {
    let context: FixedKeyProcessorContext<string, LedgerEntry>;
    const processor: FixedKeyProcessor<string, LedgerEntry, LedgerEntry> = {
      init(given) {
        context = given;
        hooks.onTask('opened', given.taskId);
      },
      process(record) {
        const { partition, offset } = context.recordMetadata() ?? {};
        const source: Header = { key: SOURCE_HEADER, value: Buffer.from(`${partition}:${offset}`) };
        const marked = record.withHeaders([source]);
        const obeyed = record.value.order === undefined ? undefined : hooks.obey(record.value.order);
        if (obeyed === undefined) return context.forward(marked);
        return obeyed.then(() => context.forward(marked));
      },
      close() {
        hooks.onTask('closed', context.taskId);
      },
    };
    return processor;
  };
}

/** Gives each record of a task the next number of that task; partitions never share one. */
function uidAssigner({ partitions }: Ledger): FixedKeyProcessorSupplier<string, LedgerEntry, UidValue> {
  const supplier = (): FixedKeyProcessor<string, LedgerEntry, UidValue> => {
    let context: FixedKeyProcessorContext<string, UidValue>;
    let uids: KeyValueStore<string, number>;
    return {
      init(given) {
        context = given;
        uids = given.getStateStore('uids');
      },
      process(record) {
        const next = uids.get(UID_KEY) ?? 0;
        uids.put(UID_KEY, next + 1);
        const partition = Number(context.taskId.split('_')[1]);
        context.forward(record.withValue({ id: record.value.id, uid: next * partitions + partition }));
      },
    };
  };
  return Object.assign(supplier, { stores: [keyValueStore('uids', string(), json<number>())] });
}

/** Passes records on; tells which tasks of its sub-topology are open. */
function reporter<V>(hooks: LedgerHooks): FixedKeyProcessorSupplier<string, V, V> {
  return () => {
    let context: FixedKeyProcessorContext<string, V>;
    return {
      init(given) {
        context = given;
        hooks.onTask('opened', given.taskId);
      },
      process: (record) => context.forward(record),
      close: () => hooks.onTask('closed', context.taskId),
    };
  };
}
