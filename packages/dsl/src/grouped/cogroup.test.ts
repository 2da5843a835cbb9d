import { int64, json, string, topic } from '@millrace/core';
import type { Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../streams-builder.ts';
import { SessionWindows } from '../windows/session-windows.ts';
import { SlidingWindows } from '../windows/sliding-windows.ts';
import { TimeWindows } from '../windows/time-windows.ts';

const orders = topic('orders', { key: string(), value: int64() });
const refunds = topic('refunds', { key: string(), value: int64() });

const add = (total: number, cents: number) => total + cents;
const subtract = (total: number, cents: number) => total - cents;

function describedNames(topology: Topology): string[] {
  return topology.definition().nodes.map(({ name }) => name);
}

function cogrouped(builder: StreamsBuilder) {
  const left = builder.stream(orders).groupByKey();
  return left.cogroup<number>(add).cogroup(builder.stream(refunds).groupByKey(), subtract);
}

describe('cogroup', () => {
  it('has a node per stream over one store, and one that merges them', () => {
    const builder = new StreamsBuilder();
    cogrouped(builder).aggregate(() => 0, { value: int64(), store: 'balance' });
    const topology = builder.build();
    expect(describedNames(topology)).toEqual([
      'KSTREAM-SOURCE-0000000000',
      'KSTREAM-SOURCE-0000000001',
      'COGROUPKSTREAM-AGGREGATE-0000000002',
      'COGROUPKSTREAM-AGGREGATE-0000000003',
      'COGROUPKSTREAM-MERGE-0000000004',
    ]);
    const [store] = topology.definition().stores;
    expect(store?.builder.name).toBe('balance');
    expect(topology.plan().subtopologies).toHaveLength(1);
  });

  it('takes its names from the one that the user gives', () => {
    const builder = new StreamsBuilder();
    cogrouped(builder).aggregate(() => 0, { value: int64(), name: 'balance' });
    expect(describedNames(builder.build()).slice(2)).toEqual([
      'balance-cogroup-agg-0',
      'balance-cogroup-agg-1',
      'balance-cogroup-merge',
    ]);
  });

  it('sends streams with new keys through topics, which must be named when there are several', () => {
    const build = (names: readonly [string?, string?]) => {
      const builder = new StreamsBuilder();
      const [first, second] = [orders, refunds].map((one, i) => {
        const name = names[i];
        return builder.stream(one).groupBy((cents) => String(cents), { key: string(), ...(name !== undefined && { name }) });
      });
      if (first === undefined || second === undefined) throw new Error('two streams');
      first
        .cogroup<number>(add)
        .cogroup(second, subtract)
        .aggregate(() => 0, { value: int64(), store: 'balance' });
      return builder.build();
    };
    expect(describedNames(build(['one', 'two']))).toEqual(
      expect.arrayContaining(['one-repartition-source', 'two-repartition-source']),
    );
    expect(() => build([])).toThrow(expect.objectContaining({ name: 'TopologyError' }));
  });

  it('gives a stream that is added twice the later function, and leaves what it was made from as it is', () => {
    const builder = new StreamsBuilder();
    const grouped = builder.stream(orders).groupByKey();
    const once = grouped.cogroup<number>(add);
    const twice = once.cogroup(grouped, subtract).cogroup(builder.stream(refunds).groupByKey(), add);
    once.aggregate(() => 0, { value: int64(), name: 'once' });
    twice.aggregate(() => 0, { value: int64(), name: 'twice' });
    expect(describedNames(builder.build()).filter((name) => name.includes('agg'))).toEqual([
      'once-cogroup-agg-0',
      'twice-cogroup-agg-0',
      'twice-cogroup-agg-1',
    ]);
  });

  it('aggregates by window and by session, too', () => {
    const kinds = [TimeWindows.ofSize(10), SlidingWindows.ofTimeDifference(10)].map((windows) => {
      const builder = new StreamsBuilder();
      cogrouped(builder)
        .windowedBy(windows)
        .aggregate(() => 0, { value: int64() });
      return builder.build().definition().stores[0]?.builder.kind;
    });
    const builder = new StreamsBuilder();
    const sessions = cogrouped(builder).windowedBy(SessionWindows.ofInactivityGap(10));
    sessions.aggregate(
      () => 0,
      (a, b) => a + b,
      { value: int64() },
    );
    expect([...kinds, builder.build().definition().stores[0]?.builder.kind]).toEqual([
      'timestampedWindow',
      'timestampedWindow',
      'session',
    ]);
  });

  it('says how to give the serde of the aggregate', () => {
    const builder = new StreamsBuilder();
    expect(() => cogrouped(builder).aggregate(() => 0)).toThrow(expect.objectContaining({ code: 'MISSING_SERDE' }));
  });

  it('refuses streams of another builder', () => {
    const other = new StreamsBuilder().stream(refunds).groupByKey();
    const mixed = new StreamsBuilder().stream(orders).groupByKey().cogroup<number>(add).cogroup(other, subtract);
    expect(() => mixed.aggregate(() => 0, { value: json<number>() })).toThrow(
      expect.objectContaining({ code: 'FOREIGN_STREAM' }),
    );
  });
});
