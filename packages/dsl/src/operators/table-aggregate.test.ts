import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { type TableAggregation, tableAggregateOperator } from './table-aggregate.ts';
import { tableRepartitionMapOperator } from './table-repartition-map.ts';
import { tableSourceOperator } from './table-source.ts';

const text: TableAggregation<string, string, string> = {
  initializer: () => '0',
  adder: (aggregate, value) => `${aggregate}+${value}`,
  subtractor: (aggregate, value) => `${aggregate}-${value}`,
};

async function start<V, A>(aggregation: TableAggregation<string, V, A>, caching = false) {
  const harness = new OperatorHarness();
  await harness.open(timestampedKeyValueStore('rows', string(), json(), { caching }), { caching });
  const store = await harness.open(timestampedKeyValueStore('agg', string(), json<A>(), { caching }), { caching });
  const node = harness.node(tableAggregateOperator({ store: 'agg', ...aggregation, sendOldValues: true }));
  return { harness, store, node };
}

describe('aggregation of a grouped table', () => {
  it('subtracts the old value before it adds the new one, and keeps the highest timestamp', async () => {
    const { harness, store, node } = await start(text);
    harness.change(node, 'g', 'a', undefined, 9);
    harness.change(node, 'g', 'b', 'a', 5);
    harness.change(node, 'g', undefined, 'b', 12);
    expect(harness.forwarded).toEqual([
      { key: 'g', value: '0+a', at: 9 },
      { key: 'g', value: '0+a-a+b', at: 9, old: '0+a' },
      { key: 'g', value: '0+a-a+b-b', at: 12, old: '0+a-a+b' },
    ]);
    expect(store.get('g')).toEqual({ value: '0+a-a+b-b', timestamp: 12 });
  });

  it('subtracts nothing from a group without aggregate, and sends its deletion', async () => {
    const { harness, node } = await start(text);
    harness.change(node, 'g', undefined, 'a', 3);
    harness.change(node, 'g', 'b', 'a', 4);
    expect(harness.forwarded).toEqual([
      { key: 'g', value: undefined, at: 3 },
      { key: 'g', value: '0+b', at: 4 },
    ]);
  });

  it('deletes the row for an absent result, and begins anew after it', async () => {
    const sum = {
      initializer: () => 0,
      adder: (a: number, b: number) => a + b,
      subtractor: (a: number, b: number) => a - b || undefined,
    };
    const { harness, store, node } = await start(sum);
    harness.change(node, 'g', 5, undefined, 1);
    harness.change(node, 'g', undefined, 5, 2);
    expect(store.get('g')).toBeUndefined();
    harness.change(node, 'g', 7, undefined, 1);
    expect(harness.take().map(({ value, at }) => [value, at])).toEqual([
      [5, 1],
      [undefined, 2],
      [7, 1],
    ]);
  });

  it('does not let functions that change the aggregate in place change the old value', async () => {
    const list: TableAggregation<string, number, number[]> = {
      initializer: () => [],
      adder: (all, one) => {
        all.push(one);
        return all;
      },
      subtractor: (all, one) => {
        all.splice(all.indexOf(one), 1);
        return all;
      },
    };
    const { harness, node } = await start(list);
    harness.change(node, 'g', 1, undefined);
    harness.change(node, 'g', 2, 1);
    expect(harness.forwarded[1]).toEqual({ key: 'g', value: [2], at: 0, old: [1] });
  });

  it('refuses a change without key, and async functions', async () => {
    const { harness, node } = await start(text);
    expect(() => harness.change(node, undefined, 'a', undefined)).toThrow(expect.objectContaining({ code: 'NULL_KEY' }));
    const { harness: other, node: asyncNode } = await start({ ...text, adder: (async () => 'x') as never });
    expect(() => other.change(asyncNode, 'g', 'a', undefined)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });

  it('always has the sum and the number of the rows that are in each group', async () => {
    interface Row {
      readonly group: string | null;
      readonly amount: number;
    }
    const row = fc.option(fc.record({ group: fc.constantFrom('x', 'y', null), amount: fc.nat(9) }), { nil: undefined });
    const changes = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), row, commits: fc.boolean() }), { maxLength: 30 });
    const total: TableAggregation<string, number, readonly [sum: number, count: number]> = {
      initializer: () => [0, 0],
      adder: ([sum, count], amount) => [sum + amount, count + 1],
      subtractor: ([sum, count], amount) => [sum - amount, count - 1],
    };
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (inputs, caching) => {
        const { harness, store, node } = await start(total, caching);
        const mapper = ({ group, amount }: Row) => [group ?? undefined, amount] as const;
        const select = harness.node(tableRepartitionMapOperator<string, Row, string, number>({ mapper, key: string() }), node);
        const source = harness.node(tableSourceOperator({ store: 'rows', sendOldValues: true }), select);
        const rows = new Map<string, Row>();
        for (const { key, row: next, commits } of inputs) {
          harness.pipe(source, key, next);
          if (next === undefined) rows.delete(key);
          else rows.set(key, next);
          if (commits) await harness.commit();
        }
        await harness.commit();
        for (const group of ['x', 'y']) {
          const amounts = [...rows.values()].filter((one) => one.group === group).map((one) => one.amount);
          const sum = amounts.reduce((a, b) => a + b, 0);
          expect(store.get(group)?.value ?? [0, 0]).toEqual([sum, amounts.length]);
        }
      }),
    );
  });
});
