import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countingAggregation, reducingAggregation } from './aggregations.ts';
import { OperatorHarness } from './operator-harness.ts';
import { streamAggregateOperator } from './stream-aggregate.ts';

const builder = timestampedKeyValueStore('agg', string(), json<unknown>(), { caching: true });
const texts = { initializer: () => 'i', aggregator: (aggregate: string, value: number) => `${aggregate}+${value}` };

describe('stream aggregate', () => {
  it('starts from the initializer, and tells it as the old value of a new row', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder);
    const node = harness.node(streamAggregateOperator({ store: 'agg', sendOldValues: true, ...texts }));
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'a', 2, 6);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 'i+1', at: 5, old: 'i' },
      { key: 'a', value: 'i+1+2', at: 6, old: 'i+1' },
    ]);
  });

  it('with a cache the old value of a new row is absent', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder, { caching: true });
    const node = harness.node(streamAggregateOperator({ store: 'agg', sendOldValues: true, ...texts }));
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'a', 2, 6);
    await harness.commit();
    harness.pipe(node, 'a', 3, 7);
    await harness.commit();
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 'i+1+2', at: 6 },
      { key: 'a', value: 'i+1+2+3', at: 7, old: 'i+1+2' },
    ]);
  });

  it('drops records without key or value', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder);
    const node = harness.node(streamAggregateOperator({ store: 'agg', sendOldValues: false, ...countingAggregation() }));
    harness.pipe(node, undefined, 1);
    harness.pipe(node, 'a', undefined);
    expect(harness.dropped).toEqual(['null key or value', 'null key or value']);
    expect(harness.forwarded).toEqual([]);
  });

  it('deletes the row when the result is absent, and starts afresh', async () => {
    const harness = new OperatorHarness();
    const store = await harness.open(builder);
    const aggregator = (aggregate: number, value: number) => (aggregate + value === 0 ? undefined : aggregate + value);
    const node = harness.node(streamAggregateOperator({ store: 'agg', sendOldValues: false, initializer: () => 0, aggregator }));
    for (const value of [2, -2, 5]) harness.pipe(node, 'a', value);
    expect(harness.forwarded.map((one) => one.value)).toEqual([2, undefined, 5]);
    expect(store.get('a')).toEqual({ value: 5, timestamp: 0 });
  });

  it('does not let an aggregator that changes its aggregate in place change the old value', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder);
    const aggregator = (list: number[], value: number) => {
      list.push(value);
      return list;
    };
    const node = harness.node(
      streamAggregateOperator<string, number, number[]>({ store: 'agg', sendOldValues: true, initializer: () => [], aggregator }),
    );
    harness.pipe(node, 'a', 1);
    harness.pipe(node, 'a', 2);
    expect(harness.forwarded[1]).toEqual({ key: 'a', value: [1, 2], at: 0, old: [1] });
  });

  it('refuses an async aggregator', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder);
    const aggregator = (async () => 1) as never;
    const node = harness.node(streamAggregateOperator({ store: 'agg', sendOldValues: false, initializer: () => 0, aggregator }));
    expect(() => harness.pipe(node, 'a', 1)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });

  it('counts and reduces like a fold over the records of each key, with the highest timestamp', async () => {
    const records = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), value: fc.nat(9), at: fc.nat(20) }), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(records, fc.boolean(), async (inputs, caching) => {
        const harness = new OperatorHarness();
        const counts = await harness.open(timestampedKeyValueStore('counts', string(), json<number>(), { caching }), { caching });
        const lists = await harness.open(timestampedKeyValueStore('lists', string(), json<string>(), { caching }), { caching });
        const count = harness.node(streamAggregateOperator({ store: 'counts', sendOldValues: true, ...countingAggregation() }));
        const joined = reducingAggregation<string, string>((aggregate, value) => `${aggregate},${value}`);
        const reduce = harness.node(streamAggregateOperator({ store: 'lists', sendOldValues: true, ...joined }));
        for (const { key, value, at } of inputs) {
          harness.pipe(count, key, value, at);
          harness.pipe(reduce, key, String(value), at);
          if (value === 0) await harness.commit();
        }
        for (const key of ['a', 'b', 'c']) {
          const own = inputs.filter((input) => input.key === key);
          const timestamp = Math.max(...own.map((input) => input.at));
          expect(counts.get(key)).toEqual(own.length === 0 ? undefined : { value: own.length, timestamp });
          expect(lists.get(key)).toEqual(
            own.length === 0 ? undefined : { value: own.map((one) => one.value).join(','), timestamp },
          );
        }
      }),
    );
  });
});
