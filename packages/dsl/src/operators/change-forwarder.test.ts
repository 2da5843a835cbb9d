import { json, string } from '@millrace/core';
import { versionedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { countingAggregation } from './aggregations.ts';
import { OperatorHarness } from './operator-harness.ts';
import { streamAggregateOperator } from './stream-aggregate.ts';
import { tableMapValuesOperator } from './table-map-values.ts';
import { tableSourceOperator } from './table-source.ts';

const builder = versionedKeyValueStore('table', string(), json<number>(), { historyRetentionMs: 10 });

/** A node that notes which changes were said to be the latest. */
function latest(seen: unknown[]) {
  return {
    init: () => undefined,
    process: (key: unknown, value: unknown, timestamp: number, _headers: unknown, old: unknown, isLatest: boolean) => {
      seen.push([key, value, timestamp, old, isLatest]);
    },
  };
}

describe('changes of a versioned table', () => {
  it('are not sent when they are older than the history, and say so when they are not the latest', async () => {
    const harness = new OperatorHarness();
    const store = await harness.open(builder);
    const seen: unknown[] = [];
    const node = harness.node(tableSourceOperator({ store: 'table', sendOldValues: true }), latest(seen));
    harness.pipe(node, 'a', 1, 20);
    harness.pipe(node, 'a', 2, 15);
    harness.pipe(node, 'a', 3, 9);
    harness.pipe(node, 'a', undefined, 20);
    expect(seen).toEqual([
      ['a', 1, 20, undefined, true],
      ['a', 2, 15, 1, false],
      ['a', undefined, 20, 1, true],
    ]);
    expect(store.get('a')).toBeUndefined();
    expect(store.get('a', 19)).toEqual({ value: 2, timestamp: 15 });
  });

  it('are kept in the order of their times by a derived table with a versioned store of its own', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder);
    const seen: unknown[] = [];
    const mapper = (value: number) => value * 2;
    const node = harness.node(tableMapValuesOperator({ mapper, store: 'table', sendOldValues: false }), latest(seen));
    harness.change(node, 'a', 1, undefined, 20);
    harness.change(node, 'a', 2, undefined, 15, false);
    expect(seen).toEqual([
      ['a', 2, 20, undefined, true],
      ['a', 4, 15, undefined, false],
    ]);
  });

  it('of an aggregation are always the latest, but the first of a key may come too late', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder);
    const seen: unknown[] = [];
    const count = { store: 'table', sendOldValues: false, ...countingAggregation<string, number>() };
    const node = harness.node(streamAggregateOperator(count), latest(seen));
    harness.pipe(node, 'a', 0, 20);
    harness.pipe(node, 'a', 0, 5);
    harness.pipe(node, 'b', 0, 9);
    harness.pipe(node, 'b', 0, 10);
    expect(seen).toEqual([
      ['a', 1, 20, undefined, true],
      ['a', 2, 20, undefined, true],
      ['b', 1, 10, undefined, true],
    ]);
  });
});
