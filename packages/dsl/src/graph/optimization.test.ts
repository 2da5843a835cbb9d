import { int64, string } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { type BuildOptions, StreamsBuilder } from '../streams-builder.ts';
import type { OptimizationChoice } from './optimization.ts';

function builder(): StreamsBuilder {
  return new StreamsBuilder({ defaultKeySerde: string(), defaultValueSerde: string() });
}

const selectValue = (value: unknown) => String(value);

/** Names of all topics through which the application sends records to itself. */
function repartitionTopics(of: StreamsBuilder, optimization: OptimizationChoice): string[] {
  return of
    .build({ optimization })
    .definition()
    .repartitionTopics.map(({ name }) => name);
}

describe('merge.repartition.topics', () => {
  const merged = ['merge.repartition.topics'] as const;

  function grouped(operations: (stream: ReturnType<typeof changed>) => ReturnType<typeof changed>) {
    const of = builder();
    const stream = changed(of, 'in');
    operations(stream).groupByKey().count();
    stream
      .groupByKey()
      .reduce((_, value) => value)
      .toStream()
      .to('out');
    return of;
  }

  function changed(of: StreamsBuilder, topic: string) {
    return of.stream<string, string>(topic).selectKey(selectValue);
  }

  it('makes one topic of several below one key change, with the name of the first', () => {
    const create = () => grouped((stream) => stream.filter(() => true));
    expect(repartitionTopics(create(), 'none')).toEqual([
      'KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition',
      'KSTREAM-REDUCE-STATE-STORE-0000000008-repartition',
    ]);
    expect(repartitionTopics(create(), merged)).toEqual(['KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition']);
    expect(repartitionTopics(create(), 'all')).toEqual(['KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition']);
  });

  it('keeps the topic behind a value change: its records are of another type', () => {
    const topics = repartitionTopics(
      grouped((stream) => stream.mapValues((value) => value)),
      merged,
    );
    expect(topics).toHaveLength(2);
  });

  it('keeps the topic of repartition()', () => {
    const topics = repartitionTopics(
      grouped((stream) => stream.repartition({ name: 'mine' })),
      merged,
    );
    expect(topics).toContain('mine-repartition');
  });

  it('merges two topics below one filter', () => {
    const of = builder();
    const filtered = changed(of, 'in').filter(() => true);
    filtered.groupByKey().count();
    filtered.groupByKey().reduce((_, value) => value);
    expect(repartitionTopics(of, merged)).toEqual(['KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition']);
  });

  it('puts the topic below a merge of streams with new keys, below the lower one of two', () => {
    const of = builder();
    const inner = changed(of, 'a').merge(changed(of, 'b'));
    of.stream<string, string>('c').merge(inner, { name: 'outer' }).groupByKey().count();
    const topology = of.build({ optimization: merged });
    const filter = topology.definition().nodes.find(({ name }) => name.endsWith('-repartition-filter'));
    expect(filter).toMatchObject({ parents: ['outer'] });
  });

  // Kafka Streams 4.3.1 describes the same: docs/decisions/0028.
  it('leads one path of a merge through a topic that stands above it, and the other one past it', () => {
    const of = builder();
    const rekeyed = of.stream<string, string>('in').selectKey(selectValue, { name: 'rekey' });
    rekeyed.groupByKey({ name: 'direct' }).count();
    const [a, b] = [rekeyed.filter(() => true, { name: 'a' }), rekeyed.filter(() => true, { name: 'b' })];
    a.merge(b).groupByKey({ name: 'merged' }).count();
    const { nodes } = of.build({ optimization: merged }).definition();
    expect(nodes).toContainEqual(expect.objectContaining({ name: 'a', parents: ['direct-repartition-source'] }));
    expect(nodes).toContainEqual(expect.objectContaining({ name: 'b', parents: ['rekey'] }));
  });

  it('reads a merged stream beside a topic that stands above the merge, whatever their partitions', () => {
    const of = builder();
    const rekeyed = changed(of, 'in');
    rekeyed.groupByKey({ name: 'direct' }).count();
    of.stream<string, string>('other', { name: 'plain' }).merge(rekeyed, { name: 'both' }).groupByKey({ name: 'merged' }).count();
    const topology = of.build({ optimization: merged });
    expect(topology.definition().nodes).toContainEqual(
      expect.objectContaining({ name: 'both', parents: ['plain', 'direct-repartition-source'] }),
    );
    expect(topology.plan().subtopologies.flatMap(({ copartitionGroups }) => copartitionGroups)).toEqual([]);
  });

  it('demands of the merged topic what was demanded of those that it stands for', () => {
    const of = builder();
    const stream = changed(of, 'in');
    stream.groupByKey({ name: 'first' }).count();
    stream.join(of.table<string, string>('table'), (left) => left, { name: 'second' });
    const { subtopologies } = of.build({ optimization: merged }).plan();
    expect(subtopologies.flatMap(({ copartitionGroups }) => copartitionGroups)).toEqual([
      expect.arrayContaining(['first-repartition', 'table']),
    ]);
  });
});

describe('reuse.ktable.source.topics', () => {
  it('lets the store of a table restore from its topic', () => {
    const of = builder();
    of.table<string, string>('in', { store: 'rows' });
    const { stores } = of.build({ optimization: ['reuse.ktable.source.topics'] }).definition();
    expect(stores).toMatchObject([{ builder: { name: 'rows' }, sourceTopicAsChangelog: 'in' }]);
  });

  it('leaves a table that is made of a stream its changelog', () => {
    const of = builder();
    of.stream<string, string>('in').toTable({ store: 'rows' });
    expect(of.build({ optimization: 'all' }).definition().stores).toMatchObject([{ sourceTopicAsChangelog: undefined }]);
  });
});

describe('single.store.self.join', () => {
  const join = (kind: 'join' | 'leftJoin' | 'outerJoin', map: boolean) => {
    const of = builder();
    const stream = of.stream<string, string>('in');
    const other = map ? stream.mapValues((value) => value) : stream;
    if (kind === 'join') stream.join(other, String, { within: 10 });
    else if (kind === 'leftJoin') stream.leftJoin(other, String, { within: 10 });
    else stream.outerJoin(other, String, { within: 10 });
    const { stores } = of.build({ optimization: ['single.store.self.join'] }).definition();
    return stores.map(({ builder: { name } }) => name);
  };

  it.each(['join', 'leftJoin', 'outerJoin'] as const)('leaves %s one store', (kind) => {
    expect(join(kind, false)).toHaveLength(1);
  });

  it('leaves a join with a mapped copy as it is', () => {
    expect(join('join', true)).toHaveLength(2);
  });
});

describe('the choice of optimisations', () => {
  it('refuses what there is not', () => {
    const choice = ['merge.everything'] as unknown as OptimizationChoice;
    expect(() => builder().build({ optimization: choice })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIMIZATION' }));
  });
});

describe('ensureExplicitNaming', () => {
  const strict: BuildOptions = { ensureExplicitNaming: true };

  it('names every store and internal topic whose name is generated', () => {
    const of = builder();
    const stream = of.stream<string, string>('in').selectKey(selectValue);
    stream.groupByKey().count();
    stream.join(of.stream<string, string>('other'), String, { within: 10 });
    stream.join(of.globalTable<string, string>('global'), String, { keySelector: selectValue });
    expect(() => of.build(strict)).toThrow(
      expect.objectContaining({
        code: 'GENERATED_NAMES',
        message: expect.stringMatching(
          /KSTREAM-AGGREGATE-STATE-STORE-\d{10}-changelog, KSTREAM-JOINTHIS-\d{10}-store-changelog.*stores .*global-STATE-STORE-\d{10}.*KSTREAM-KEY-SELECT-\d{10}-repartition/,
        ),
      }),
    );
  });

  it('takes a topology in which all of them are named', () => {
    const of = builder();
    const stream = of.stream<string, string>('in').selectKey(selectValue);
    stream.groupByKey({ name: 'by-value' }).count({ store: 'counts', value: int64() });
    stream.join(of.stream<string, string>('other'), String, { within: 10, name: 'pairs', storeName: 'pairs' });
    stream.join(of.globalTable<string, string>('global', { store: 'all' }), String, { keySelector: selectValue });
    expect(() => of.build(strict)).not.toThrow();
  });
});
