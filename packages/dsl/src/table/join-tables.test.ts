import { int64, json, string, topic } from '@millrace/core';
import { planTopology, resolvePartitionCounts, type Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../streams-builder.ts';
import type { JoinTablesOptions } from './join-tables.ts';

function build(options: JoinTablesOptions<string, string>): Topology {
  const builder = new StreamsBuilder();
  const left = builder.table(topic('left', { key: string(), value: string() }), { store: 'l' });
  const right = builder.table(topic('right', { key: string(), value: int64() }), { store: 'r' });
  left
    .outerJoin(right, (a, b) => `${a ?? ''}${b ?? ''}`, options)
    .toStream()
    .to(topic('out', { key: string(), value: string() }));
  return builder.build();
}

const stores = (topology: Topology) => topology.definition().stores.map(({ builder }) => builder.name);

describe('adding a join of tables', () => {
  it('stores the result when it is named or described, not for a serde alone', () => {
    expect(stores(build({}))).toEqual(['l', 'r']);
    expect(stores(build({ value: string() }))).toEqual(['l', 'r']);
    expect(stores(build({ value: string(), store: 'joined' }))).toEqual(['l', 'r', 'joined']);
    expect(stores(build({ value: string(), inMemory: true }))).toEqual(['l', 'r', 'KTABLE-MERGE-STATE-STORE-0000000004']);
  });

  it('wants a serde for a stored result', () => {
    expect(() => build({ store: 'joined' })).toThrow(expect.objectContaining({ code: 'MISSING_SERDE' }));
  });

  it('demands equal partition counts', () => {
    const plan = planTopology(build({}).definition());
    const counts = (right: number) =>
      resolvePartitionCounts(
        plan,
        new Map([
          ['left', 2],
          ['right', right],
          ['out', 1],
        ]),
      );
    expect(counts(2).tasks).toEqual(new Map([[0, 2]]));
    expect(() => counts(3)).toThrow(expect.objectContaining({ code: 'NOT_COPARTITIONED' }));
  });

  it('looks a joined table without store up in the stores of both sides', () => {
    const builder = new StreamsBuilder();
    const text = { key: string(), value: json<string>() };
    const left = builder.table(topic('left', text), { store: 'l' });
    const right = builder.table(topic('right', text), { store: 'r' });
    const joined = left.join(right, (a, b) => a + b);
    builder
      .stream(topic('in', text))
      .join(joined, (a, b) => a + b, { name: 'enrich' })
      .to(topic('out', text));
    const connected = builder
      .build()
      .definition()
      .stores.filter(({ nodes }) => nodes.includes('enrich'));
    expect(connected.map(({ builder: { name } }) => name)).toEqual(['l', 'r']);
  });

  it('tells the store in which a table can be queried, when it was named', () => {
    const builder = new StreamsBuilder();
    const text = { key: string(), value: json<string>() };
    const left = builder.table(topic('left', text), { store: 'l' });
    const right = builder.table(topic('right', text));
    const grouped = left.groupBy((value, key) => [value, key], { key: string(), value: string() });
    const stream = builder.stream(topic('in', text)).groupByKey();
    const named = (store: string) => ({ store, value: string() });
    const tables = {
      source: left,
      unnamed: right,
      filtered: left.filter(() => true, { store: 'f' }),
      unnamedMapped: left.mapValues(() => 'x'),
      joined: left.join(right, (a, b) => a + b, named('j')),
      unnamedJoined: left.join(right, (a, b) => a + b),
      referred: left.join(right, (a, b) => a + b, { ...named('r'), foreignKey: (a) => a }),
      unnamedReferred: left.join(right, (a, b) => a + b, { foreignKey: (a) => a }),
      grouped: grouped.count({ store: 'g' }),
      counted: stream.count({ store: 'c' }),
      unnamedCounted: stream.count(),
      cogrouped: stream.cogroup<string>((all, value) => all + value).aggregate(() => '', named('co')),
    };
    const names = Object.entries(tables).map(([what, table]) => [what, table.queryableStoreName]);
    expect(names.filter(([, name]) => name !== undefined)).toEqual([
      ['source', 'l'],
      ['filtered', 'f'],
      ['joined', 'j'],
      ['referred', 'r'],
      ['grouped', 'g'],
      ['counted', 'c'],
      ['cogrouped', 'co'],
    ]);
  });
});
