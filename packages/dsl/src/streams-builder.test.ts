import { int64, json, string, topic } from '@millrace/core';
import { keyValueStore, type StoreBuilder } from '@millrace/state';
import type { NodeContext, NodeProcessor, NodeSpec, SinkSpec, SourceSpec, Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from './streams-builder.ts';
import { SessionWindows } from './windows/session-windows.ts';
import { TimeWindows } from './windows/time-windows.ts';

const text = topic('text', { key: string(), value: string() });
const numbers = topic('numbers', { key: string(), value: int64() });

function names(topology: Topology): string[] {
  return topology.definition().nodes.map(({ name }) => name);
}

function node<T extends NodeSpec['kind']>(topology: Topology, kind: T, name: RegExp): Extract<NodeSpec, { kind: T }> {
  const found = topology.definition().nodes.find((spec) => spec.kind === kind && name.test(spec.name));
  if (found === undefined) throw new Error(`no ${kind} like ${String(name)}`);
  return found as Extract<NodeSpec, { kind: T }>;
}

function stores(topology: Topology): readonly StoreBuilder[] {
  return topology.definition().stores.map(({ builder }) => builder);
}

function store(topology: Topology): StoreBuilder {
  const [first] = stores(topology);
  if (first === undefined) throw new Error('no store');
  return first;
}

describe('names', () => {
  it('count through the builder, and user names take their number too', () => {
    const builder = new StreamsBuilder();
    builder
      .stream(text, { name: 'lines' })
      .filter(() => true)
      .mapValues((value) => value, { name: 'same' })
      .to(text);
    expect(names(builder.build())).toEqual(['lines', 'KSTREAM-FILTER-0000000001', 'same', 'KSTREAM-SINK-0000000003']);
  });

  it('of a processor that the user names take none', () => {
    const builder = new StreamsBuilder();
    builder
      .stream(text)
      .process<string, string>(() => ({ process: () => undefined }), { name: 'own' })
      .to(text);
    expect(names(builder.build())).toContain('KSTREAM-SINK-0000000001');
  });

  it('of a user for a store take none, so that later numbers shift', () => {
    const last = (store: string | undefined) => {
      const builder = new StreamsBuilder();
      builder
        .stream(text)
        .groupByKey()
        .count(store === undefined ? {} : { store })
        .toStream()
        .to(numbers);
      return names(builder.build()).at(-1);
    };
    expect(last(undefined)).toBe('KSTREAM-SINK-0000000004');
    expect(last('counts')).toBe('KSTREAM-SINK-0000000003');
  });

  it.each(['', '.', 'a b', 'x'.repeat(250)])('such as %j are refused', (name) => {
    const stream = new StreamsBuilder().stream(text);
    expect(() => stream.filter(() => true, { name })).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
  });

  it('that repeat are refused when the topology is built', () => {
    const builder = new StreamsBuilder();
    builder.stream(text, { name: 'a' }).filter(() => true, { name: 'a' });
    expect(() => builder.build()).toThrow(expect.objectContaining({ code: 'NODE_EXISTS' }));
  });

  it('of branches follow that of the split', () => {
    const builder = new StreamsBuilder();
    const { big, rest } = builder.stream(numbers).split({ big: (value) => value > 5 }, { name: 'by-size-', default: 'rest' });
    big.to(numbers);
    rest.to(numbers);
    expect(names(builder.build())).toEqual([
      'KSTREAM-SOURCE-0000000000',
      'by-size-',
      'by-size-big',
      'by-size-rest',
      'KSTREAM-SINK-0000000004',
      'KSTREAM-SINK-0000000005',
    ]);
  });

  it('of branches in a list are numbers, unless given', () => {
    const builder = new StreamsBuilder();
    const branches = builder
      .stream(numbers)
      .split([{ predicate: () => true }, { predicate: () => true, name: 'b' }], { name: 's-', default: {} });
    expect(branches.map(({ origin }) => origin.name)).toEqual(['s-1', 's-b', 's-0']);
  });
});

describe('serdes', () => {
  it('flow from the topic through operators that keep the type', () => {
    const builder = new StreamsBuilder();
    builder
      .stream(text)
      .filter(() => true)
      .peek(() => undefined)
      .to('out');
    expect(node(builder.build(), 'sink', /SINK/)).toMatchObject({ keySerde: text.key, valueSerde: text.value });
  });

  it('end where values are made, and the sink then has those of its topic', () => {
    const builder = new StreamsBuilder();
    const lengths = builder.stream(text).mapValues((value) => value.length);
    expect(lengths.origin).toMatchObject({ key: text.key, value: undefined });
    lengths.to(numbers);
    expect(node(builder.build(), 'sink', /SINK/)).toMatchObject({ keySerde: numbers.key, valueSerde: numbers.value });
  });

  it('come from the builder where nothing else is known', () => {
    const value = json<string>();
    const builder = new StreamsBuilder({ defaultKeySerde: string(), defaultValueSerde: value });
    builder.stream<string, string>('in').repartition().to('out');
    const topology = builder.build();
    expect(node(topology, 'source', /SOURCE-0000000000/)).toMatchObject({ valueSerde: value });
    expect(node(topology, 'sink', /SINK-0000000002/)).toMatchObject({ valueSerde: value });
  });

  it.each<[string, RegExp, (builder: StreamsBuilder) => unknown]>([
    [
      'repartition()',
      /repartition\(\) has to write keys/,
      (b) =>
        b
          .stream(text)
          .selectKey((v) => v.length)
          .repartition(),
    ],
    [
      'repartition() by name',
      /repartition\(\) rp has to write values/,
      (b) => b.stream(text).mapValues(Number).repartition({ name: 'rp' }),
    ],
    [
      'a grouping',
      /count\(\) has to write keys/,
      (b) =>
        b
          .stream(text)
          .groupBy((v) => v.length)
          .count(),
    ],
    [
      'its values',
      /the grouping before count\(\) has to write values/,
      (b) =>
        b
          .stream(text)
          .mapValues(Number)
          .groupBy((v) => v, { key: int64() })
          .count(),
    ],
    [
      'an aggregate',
      /aggregate\(\) has to write values/,
      (b) =>
        b
          .stream(text)
          .groupByKey()
          .aggregate(
            () => 0,
            (n) => n + 1,
          ),
    ],
    [
      'a join',
      /join\(\) pair has to write values.*`right`/,
      (b) => b.stream(text).join(b.stream(numbers).mapValues(String), () => 1, { within: 1, name: 'pair' }),
    ],
    ['a table', /toTable\(\) has to write values/, (b) => b.stream(text).mapValues(Number).toTable({ store: 't' }) && b.build()],
  ])('that are missing are named with the way to give them: %s', (_what, message, build) => {
    expect(() => build(new StreamsBuilder())).toThrow(
      expect.objectContaining({
        name: 'TopologyError',
        code: 'MISSING_SERDE',
        message: expect.stringMatching(message) as unknown as string,
      }),
    );
  });

  it('of windowed keys let the key alone choose the partition', () => {
    const builder = new StreamsBuilder();
    builder.stream(text).groupByKey().windowedBy(TimeWindows.ofSize('1 minute')).count().toStream().to('out');
    const { partitioner } = node(builder.build(), 'sink', /SINK/) as SinkSpec;
    const partitionOf = (start: number) => partitioner?.('out', { key: 'k', window: { start, end: start + 60_000 } }, 1, 100);
    expect(partitionOf(0)).toBe(partitionOf(60_000));
  });
});

describe('sources', () => {
  it('are shared by streams of the same topics', () => {
    const builder = new StreamsBuilder();
    builder.stream([text, 'more']).to('a');
    builder.stream(['more', text]).to('b');
    expect(node(builder.build(), 'sink', /SINK-0000000003/).parents).toEqual(['KSTREAM-SOURCE-0000000000']);
  });

  it.each<[string, (builder: StreamsBuilder) => unknown, string]>([
    ['some of the topics of another', (b) => b.stream([text, 'x']).merge(b.stream([text, 'y'])), 'OVERLAPPING_SOURCES'],
    ['another offset reset', (b) => b.stream(text).merge(b.stream(text, { offsetReset: 'latest' })), 'OFFSET_RESET_CONFLICT'],
    ['a topic as stream and table', (b) => b.stream(text).join(b.table(text), () => 1), 'SOURCE_TOPIC_TAKEN'],
  ])('cannot have %s', (_what, add, code) => {
    const builder = new StreamsBuilder();
    add(builder);
    expect(() => builder.build()).toThrow(expect.objectContaining({ code }));
  });

  it('may be built from again', () => {
    const builder = new StreamsBuilder();
    builder.stream(text).to('a');
    builder.stream(text).to('b');
    const first = builder.build().describe();
    expect(builder.build().describe()).toBe(first);
  });
});

describe('repartition topics', () => {
  /** The node in front of the first repartition sink. */
  function passesNullKeys(topology: Topology): boolean {
    const processor: NodeProcessor = node(topology, 'processor', /FILTER/).supplier();
    let passed = false;
    processor.init({ forward: () => (passed = true) } as unknown as NodeContext);
    processor.process(undefined, 'v', 0, [], undefined, true);
    return passed;
  }

  const keyed = (builder: StreamsBuilder) => builder.stream(text).selectKey((value) => value, { key: string() });

  it('drop records without key, unless a join below takes them', () => {
    const grouped = new StreamsBuilder();
    keyed(grouped).groupByKey().count();
    expect(passesNullKeys(grouped.build())).toBe(false);

    const joined = new StreamsBuilder();
    keyed(joined).leftJoin(joined.stream(topic('other', text)), () => 1, { within: 1 });
    expect(passesNullKeys(joined.build())).toBe(true);
  });

  it('appear only where keys changed', () => {
    const builder = new StreamsBuilder();
    builder
      .stream(text)
      .filter(() => true)
      .mapValues((value) => value, { value: string() })
      .groupByKey()
      .count();
    expect(builder.build().plan().subtopologies).toHaveLength(1);
  });

  it('are read with the timestamps of their records, whatever the application extracts', () => {
    const builder = new StreamsBuilder();
    builder.stream(text).repartition({ name: 'rp', partitions: 3 }).to('out');
    const topology = builder.build();
    expect((node(topology, 'source', /rp/) as SourceSpec).timestampExtractor).toBeDefined();
    expect(topology.definition().repartitionTopics).toEqual([{ name: 'rp-repartition', partitions: 3 }]);
  });

  it('are shared by joins that do not name them', () => {
    const builder = new StreamsBuilder();
    const left = keyed(builder);
    const right = builder.stream(topic('other', text));
    left.join(right, () => 1, { within: 1 });
    left.join(right, () => 2, { within: 1 });
    expect(builder.build().definition().repartitionTopics).toHaveLength(1);
  });

  it('are shared by the aggregations of a group that names them', () => {
    const builder = new StreamsBuilder();
    const grouped = keyed(builder).groupByKey({ name: 'shared' });
    grouped.count();
    grouped.reduce((a) => a);
    expect(builder.build().definition().repartitionTopics).toEqual([{ name: 'shared-repartition', partitions: undefined }]);
  });

  it('must be partitioned like the other side of a join', () => {
    const builder = new StreamsBuilder();
    keyed(builder).join(builder.table(topic('other', text)), () => 1, { name: 'j' });
    const plan = builder.build().plan();
    expect(plan.subtopologies.map(({ copartitionGroups }) => copartitionGroups)).toEqual([[], [['other', 'j-repartition']]]);
  });

  it('refuse an impossible number of partitions', () => {
    expect(() => new StreamsBuilder().stream(text).repartition({ partitions: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_PARTITIONS' }),
    );
  });
});

describe('stores', () => {
  it('are made for a table only when it is named or looked into', () => {
    const builder = new StreamsBuilder();
    builder.table(text).filter(() => true);
    builder.table(numbers, { store: 'named' });
    const looked = builder.table(topic('looked', text));
    builder.stream(topic('stream', text)).join(
      looked.mapValues((value) => value),
      () => 1,
    );
    expect(stores(builder.build()).map(({ name }) => name)).toEqual(['named', 'looked-STATE-STORE-0000000006']);
  });

  it('take their options: changelog, memory, retention', () => {
    const builder = new StreamsBuilder();
    const grouped = builder.stream(text).groupByKey();
    grouped
      .windowedBy(TimeWindows.ofSizeAndGrace(100, 20))
      .count({ store: 'w', logging: { 'retention.bytes': '5' }, inMemory: true, retention: 500 });
    expect(store(builder.build())).toMatchObject({
      name: 'w',
      kind: 'timestampedWindow',
      inMemory: true,
      changelogConfig: { 'retention.bytes': '5', 'retention.ms': String(500 + 86_400_000) },
    });
  });

  it('must keep windows as long as they can change', () => {
    const grouped = new StreamsBuilder().stream(text).groupByKey();
    const short = expect.objectContaining({ code: 'RETENTION_TOO_SHORT' });
    expect(() => grouped.windowedBy(TimeWindows.ofSizeAndGrace(10, 5)).count({ retention: 14 })).toThrow(short);
    expect(() => grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(10, 5)).count({ retention: 14 })).toThrow(short);
  });

  it('can be the user’s own', () => {
    const own = keyValueStore('own', string(), int64());
    const builder = new StreamsBuilder();
    builder.stream(text).groupByKey().count({ store: own });
    expect(store(builder.build())).toBe(own);
  });

  it('of a join keep records for the window and its grace', () => {
    const builder = new StreamsBuilder();
    builder
      .stream(text)
      .outerJoin(builder.stream(topic('other', text)), () => 1, { within: 100, grace: 20, storeName: 'j', logging: false });
    expect(stores(builder.build())).toMatchObject([
      {
        name: 'j-outer-this-join-store',
        kind: 'join',
        loggingEnabled: false,
        changelogConfig: { 'retention.ms': String(220 + 86_400_000) },
      },
      { name: 'j-outer-other-join-store', kind: 'join' },
      { name: 'j-outer-shared-join-store', kind: 'outerJoin' },
    ]);
  });

  it('that a processor names must be there', () => {
    const builder = new StreamsBuilder();
    builder.stream(text).process(() => ({ process: () => undefined }), { stores: ['nowhere'] });
    expect(() => builder.build()).toThrow(expect.objectContaining({ code: 'UNKNOWN_STORE' }));
    builder.addStateStore(keyValueStore('nowhere', string(), string()));
    expect(builder.build().definition().stores).toMatchObject([{ nodes: ['KSTREAM-PROCESSOR-0000000001'] }]);
  });
});
