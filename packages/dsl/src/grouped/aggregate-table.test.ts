import { int64, json, string, topic } from '@millrace/core';
import type { Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../streams-builder.ts';

interface Customer {
  readonly city: string;
}

function group(name?: string) {
  const builder = new StreamsBuilder();
  const customers = builder.table(topic('customers', { key: string(), value: json<Customer>() }));
  const options = { key: string(), value: string(), ...(name === undefined ? {} : { name }) };
  return { builder, grouped: customers.groupBy(({ city }, id) => [city, id], options) };
}

const topics = (topology: Topology) => topology.definition().repartitionTopics.map(({ name }) => name);

describe('aggregating a grouped table', () => {
  it('goes through a topic of its own, named like the store', () => {
    const { builder, grouped } = group();
    grouped.count({ store: 'counts' });
    grouped.reduce(
      (a, b) => a + b,
      (a) => a,
    );
    expect(topics(builder.build())).toEqual([
      'counts-repartition',
      expect.stringMatching(/^KTABLE-AGGREGATE-STATE-STORE-\d{10}-repartition$/),
    ]);
  });

  it('shares the topic when the group names it', () => {
    const { builder, grouped } = group('by-city');
    grouped.count({ store: 'counts' });
    grouped.aggregate(
      () => 0,
      (sum) => sum + 1,
      (sum) => sum - 1,
      { store: 'sums', value: int64() },
    );
    const topology = builder.build();
    expect(topics(topology)).toEqual(['by-city-repartition']);
    expect(topology.definition().nodes.filter(({ kind }) => kind === 'sink')).toHaveLength(1);
  });

  it('stores the table, so that a row can leave its group', () => {
    const { builder, grouped } = group();
    grouped.count({ store: 'counts' });
    const stores = builder.build().definition().stores;
    expect(stores.map((store) => store.builder.name)).toEqual(['customers-STATE-STORE-0000000000', 'counts']);
  });

  it('carries new and old value of each change', () => {
    const { builder, grouped } = group();
    grouped.count();
    for (const spec of builder.build().definition().nodes) {
      if (spec.kind === 'sink') expect(spec.changeSerde).toBeDefined();
      if (spec.kind === 'source' && spec.name !== 'KSTREAM-SOURCE-0000000001') expect(spec.changeSerde).toBeDefined();
    }
  });

  it('says which serde is missing', () => {
    const builder = new StreamsBuilder();
    const customers = builder.table(topic('customers', { key: string(), value: json<Customer>() }));
    expect(() => customers.groupBy(({ city }) => [city, 1])).toThrow(expect.objectContaining({ code: 'MISSING_SERDE' }));
    const aggregate = () =>
      group().grouped.aggregate(
        () => 0,
        (sum) => sum,
        (sum) => sum,
      );
    expect(aggregate).toThrow(expect.objectContaining({ code: 'MISSING_SERDE' }));
  });
});
