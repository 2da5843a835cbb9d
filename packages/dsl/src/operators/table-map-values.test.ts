import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { tableMapValuesOperator } from './table-map-values.ts';

const builder = timestampedKeyValueStore('table', string(), json<string>());
const mapper = (value: number, key: string) => key + value;

describe('table mapValues', () => {
  it('maps new and old values, and leaves deletions alone', () => {
    const harness = new OperatorHarness();
    const node = harness.node(tableMapValuesOperator({ mapper, sendOldValues: true }));
    harness.change(node, 'a', 2, 1, 5);
    harness.change(node, 'a', undefined, 2, 6);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 'a2', at: 5, old: 'a1' },
      { key: 'a', value: undefined, at: 6, old: 'a2' },
    ]);
  });

  it('does not map old values that nobody needs', () => {
    const harness = new OperatorHarness();
    harness.change(harness.node(tableMapValuesOperator({ mapper, sendOldValues: false })), 'a', 2, 1);
    expect(harness.forwarded).toEqual([{ key: 'a', value: 'a2', at: 0 }]);
  });

  it('keeps the mapped rows when materialized, and takes old values from there', async () => {
    const harness = new OperatorHarness();
    const store = await harness.open(builder);
    const node = harness.node(tableMapValuesOperator({ mapper, sendOldValues: true, store: 'table' }));
    harness.change(node, 'a', 1, undefined, 5);
    harness.change(node, 'a', 2, undefined, 6);
    expect(store.get('a')).toEqual({ value: 'a2', timestamp: 6 });
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 'a1', at: 5 },
      { key: 'a', value: 'a2', at: 6, old: 'a1' },
    ]);
  });
});
