import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { tableFilterOperator, type TableFilterOptions } from './table-filter.ts';

const builder = timestampedKeyValueStore('table', string(), json<number>());

function options(rest: Omit<TableFilterOptions<string, number>, 'predicate'>): TableFilterOptions<string, number> {
  return { predicate: (value) => value > 1, ...rest };
}

describe('table filter', () => {
  it('sends a deletion for each rejected change when old values are unknown', () => {
    const harness = new OperatorHarness();
    const node = harness.node(tableFilterOperator(options({ sendOldValues: false })));
    harness.change(node, 'a', 2, undefined, 5);
    harness.change(node, 'b', 1, undefined, 6);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 2, at: 5 },
      { key: 'b', value: undefined, at: 6 },
    ]);
  });

  it('sends nothing for a row that passed neither before nor now when old values are known', () => {
    const harness = new OperatorHarness();
    const node = harness.node(tableFilterOperator(options({ sendOldValues: true })));
    harness.change(node, 'a', 1, undefined);
    harness.change(node, 'a', 2, 1);
    harness.change(node, 'a', 0, 2);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 2, at: 0 },
      { key: 'a', value: undefined, at: 0, old: 2 },
    ]);
  });

  it('takes old values from its own store when materialized', async () => {
    const harness = new OperatorHarness();
    const store = await harness.open(builder);
    const node = harness.node(tableFilterOperator(options({ sendOldValues: true, store: 'table' })));
    harness.change(node, 'a', 1, undefined, 5);
    harness.change(node, 'a', 3, undefined, 6);
    expect(store.get('a')).toEqual({ value: 3, timestamp: 6 });
    harness.change(node, 'a', 0, undefined, 7);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 3, at: 6 },
      { key: 'a', value: undefined, at: 7, old: 3 },
    ]);
    expect(store.get('a')).toBeUndefined();
  });

  it('does not ask the predicate about a deletion', () => {
    const harness = new OperatorHarness();
    const predicate = (): boolean => expect.fail('called');
    const node = harness.node(tableFilterOperator({ predicate, negate: true, sendOldValues: false }));
    harness.change(node, 'a', undefined, undefined);
    expect(harness.forwarded).toEqual([{ key: 'a', value: undefined, at: 0 }]);
  });
});
