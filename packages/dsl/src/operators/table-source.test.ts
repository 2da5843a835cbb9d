import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { tableSourceOperator } from './table-source.ts';
import { toStreamOperator } from './to-stream.ts';

const builder = timestampedKeyValueStore('table', string(), json<number>(), { caching: true });

describe('table source', () => {
  it('drops a record without key, with or without a store', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder);
    harness.pipe(harness.node(tableSourceOperator({ sendOldValues: false })), undefined, 1);
    harness.pipe(harness.node(tableSourceOperator({ store: 'table', sendOldValues: false })), undefined, 1);
    expect(harness.dropped).toEqual(['null key', 'null key']);
    expect(harness.forwarded).toEqual([]);
  });

  it('forwards the change with the old value of the row when asked', async () => {
    const harness = new OperatorHarness();
    const store = await harness.open(builder);
    const node = harness.node(tableSourceOperator({ store: 'table', sendOldValues: true }));
    harness.pipe(node, 'a', 1, 5);
    harness.pipe(node, 'a', 2, 6);
    harness.pipe(node, 'a', undefined, 7);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 1, at: 5 },
      { key: 'a', value: 2, at: 6, old: 1 },
      { key: 'a', value: undefined, at: 7, old: 2 },
    ]);
    expect(store.get('a')).toBeUndefined();
  });

  it('applies an older record, as the order of offsets wins', async () => {
    const harness = new OperatorHarness();
    const store = await harness.open(builder);
    const node = harness.node(tableSourceOperator({ store: 'table', sendOldValues: false }));
    harness.pipe(node, 'a', 1, 9);
    harness.pipe(node, 'a', 2, 4);
    expect(store.get('a')).toEqual({ value: 2, timestamp: 4 });
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 1, at: 9 },
      { key: 'a', value: 2, at: 4 },
    ]);
  });

  it('with a cache forwards one merged change per row at the commit', async () => {
    const harness = new OperatorHarness();
    await harness.open(builder, { caching: true });
    const node = harness.node(tableSourceOperator({ store: 'table', sendOldValues: true }));
    harness.pipe(node, 'a', 1, 5);
    await harness.commit();
    harness.pipe(node, 'a', 2, 6);
    harness.pipe(node, 'b', 3, 7);
    harness.pipe(node, 'a', 4, 8);
    expect(harness.take()).toEqual([{ key: 'a', value: 1, at: 5 }]);
    await harness.commit();
    expect(harness.take()).toEqual([
      { key: 'b', value: 3, at: 7 },
      { key: 'a', value: 4, at: 8, old: 1 },
    ]);
  });

  it('becomes a stream of new values, deletions included', () => {
    const harness = new OperatorHarness();
    const node = harness.node(toStreamOperator());
    harness.change(node, 'a', 1, 0, 5);
    harness.change(node, 'a', undefined, 1, 6);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 1, at: 5 },
      { key: 'a', value: undefined, at: 6 },
    ]);
  });
});
