import { int64, json, string, topic } from '@millrace/core';
import { planTopology, resolvePartitionCounts, type SinkSpec, type StreamPartitioner, type Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../streams-builder.ts';
import type { ForeignKeyJoinOptions } from './foreign-key-join.ts';

interface Order {
  readonly customer: string;
}

type Options = Omit<ForeignKeyJoinOptions<string, Order, string, string>, 'foreignKey'>;

function build(options: Options = {}, builder = new StreamsBuilder()): Topology {
  const orders = builder.table(topic('orders', { key: string(), value: json<Order>() }));
  const customers = builder.table(topic('customers', { key: string(), value: string() }));
  orders
    .join(customers, (order, name) => order.customer + name, { ...options, foreignKey: (order) => order.customer })
    .toStream()
    .to(topic('out', { key: string(), value: string() }));
  return builder.build();
}

function sink(topology: Topology, topicName: string): SinkSpec {
  const found = topology.definition().nodes.find((spec) => spec.kind === 'sink' && spec.topic === topicName);
  if (found?.kind !== 'sink') throw new Error(`nothing writes ${topicName}`);
  return found;
}

const names = (topology: Topology) => topology.definition().stores.map(({ builder }) => builder.name);

describe('adding a foreign-key join', () => {
  it('makes two topics, partitioned like the table that reads each', () => {
    const counts = resolvePartitionCounts(
      planTopology(build({ name: 'j' }).definition()),
      new Map([
        ['orders', 3],
        ['customers', 8],
        ['out', 1],
      ]),
    );
    expect(Object.fromEntries(counts.repartitionTopics)).toEqual({
      'j-subscription-registration-topic': 8,
      'j-subscription-response-topic': 3,
    });
    expect([...counts.tasks.values()].sort()).toEqual([3, 8]);
  });

  it('stores both tables and the subscriptions; the result only when it is named', () => {
    const stored = ['orders-STATE-STORE-0000000000', 'customers-STATE-STORE-0000000003', 'j-subscription-store'];
    expect(names(build({ name: 'j' })).sort()).toEqual(stored.toSorted());
    expect(names(build({ name: 'j', inMemory: true })).sort()).toEqual(stored.toSorted());
    expect(names(build({ name: 'j', store: 'joined', value: string() })).sort()).toEqual([...stored, 'joined'].toSorted());
  });

  it('sends answers to the partition from which their subscription came', () => {
    const { partitioner } = sink(build({ name: 'j' }), 'j-subscription-response-topic');
    expect(partitioner?.('topic', 'key', { primaryPartition: 2 }, 3)).toBe(2);
    expect(partitioner?.('topic', 'key', { primaryPartition: undefined }, 3)).toBeUndefined();
    expect(sink(build({ name: 'j' }), 'j-subscription-registration-topic').partitioner).toBeUndefined();
  });

  it('partitions both topics as the tables are, when told how', () => {
    const seen: unknown[] = [];
    const own: StreamPartitioner<string, undefined> = (...call) => {
      seen.push(call);
      return [1];
    };
    const topology = build({ name: 'j', partitioner: own, otherPartitioner: own });
    for (const name of ['registration', 'response']) {
      expect(sink(topology, `j-subscription-${name}-topic`).partitioner?.('t', 'key', { any: 'message' }, 4)).toBe(1);
    }
    expect(seen).toEqual([
      ['t', 'key', undefined, 4],
      ['t', 'key', undefined, 4],
    ]);
  });

  it('lets a partitioner choose one partition only', () => {
    const { partitioner } = sink(build({ name: 'j', partitioner: () => [0, 1] }), 'j-subscription-response-topic');
    expect(() => partitioner?.('t', 'key', {}, 4)).toThrow(expect.objectContaining({ code: 'PARTITION_NOT_SINGLE' }));
  });

  it('says which serde is missing', () => {
    const builder = new StreamsBuilder();
    const orders = builder.table(topic('orders', { key: string(), value: json<Order>() }));
    const counts = builder.table(topic('counts', { key: string(), value: int64() }));
    const named = orders.mapValues(({ customer }) => customer);
    const join = () => named.join(counts, (name, count) => name + count, { foreignKey: (name) => name });
    expect(join).toThrow(expect.objectContaining({ code: 'MISSING_SERDE' }));
    expect(join).toThrow(/join\(\) with a foreign key/);
  });

  it('works for a table with itself', () => {
    const builder = new StreamsBuilder();
    const people = builder.table(topic('people', { key: string(), value: json<{ readonly boss: string }>() }));
    people.leftJoin(people, ({ boss }, above) => `${boss} under ${above?.boss}`, { name: 'j', foreignKey: ({ boss }) => boss });
    const plan = planTopology(builder.build().definition());
    expect(plan.subtopologies).toHaveLength(1);
    const counts = resolvePartitionCounts(plan, new Map([['people', 4]]));
    expect(new Set(counts.repartitionTopics.values())).toEqual(new Set([4]));
  });
});
