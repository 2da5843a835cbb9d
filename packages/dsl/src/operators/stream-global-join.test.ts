import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { streamGlobalJoinOperator } from './stream-global-join.ts';
import { tableSourceOperator } from './table-source.ts';
import { storedTableView } from './table-view.ts';

type Order = { readonly customer?: string | null };

async function start(kind: 'inner' | 'left') {
  const harness = new OperatorHarness();
  await harness.open(timestampedKeyValueStore('customers', string(), json<string>()));
  const source = harness.node(tableSourceOperator({ store: 'customers', sendOldValues: false }), {
    init: () => undefined,
    process: () => undefined,
  });
  const join = harness.node(
    streamGlobalJoinOperator<string, Order, string, string, string>({
      kind,
      table: storedTableView('customers'),
      keySelector: ({ customer }) => customer ?? undefined,
      joiner: (order, customer, key) => `${key}: ${order.customer ?? 'nobody'}/${customer ?? '-'}`,
    }),
  );
  return { harness, source, join };
}

describe('stream-global join', () => {
  const input = [
    ['o1', { customer: 'ann' }, 1],
    ['o2', { customer: 'bob' }, 2],
    ['o3', {}, 3],
    ['o4', undefined, 4],
    [undefined, { customer: 'ann' }, 5],
    [undefined, { customer: null }, 6],
  ] as const;

  it.each([
    {
      kind: 'inner',
      results: [
        { key: 'o1', value: 'o1: ann/Ann', at: 1 },
        { key: undefined, value: 'undefined: ann/Ann', at: 5 },
      ],
      dropped: 3,
    },
    {
      kind: 'left',
      results: [
        { key: 'o1', value: 'o1: ann/Ann', at: 1 },
        { key: 'o2', value: 'o2: bob/-', at: 2 },
        { key: 'o3', value: 'o3: nobody/-', at: 3 },
        { key: undefined, value: 'undefined: ann/Ann', at: 5 },
        { key: undefined, value: 'undefined: nobody/-', at: 6 },
      ],
      dropped: 1,
    },
  ] as const)('$kind: looks the selected key up, and drops what it cannot join', async ({ kind, results, dropped }) => {
    const { harness, source, join } = await start(kind);
    harness.pipe(source, 'ann', 'Ann', 9);
    for (const [key, value, at] of input) harness.pipe(join, key, value, at);
    expect(harness.forwarded).toEqual(results);
    expect(harness.dropped).toEqual(Array.from({ length: dropped }, () => 'null key or value'));
  });

  it('sees the row of the moment; a change of the table gives no result', async () => {
    const { harness, source, join } = await start('inner');
    harness.pipe(join, 'o1', { customer: 'ann' }, 1);
    harness.pipe(source, 'ann', 'Ann', 50);
    harness.pipe(join, 'o1', { customer: 'ann' }, 2);
    harness.pipe(source, 'ann', undefined, 60);
    harness.pipe(join, 'o1', { customer: 'ann' }, 3);
    expect(harness.forwarded).toEqual([{ key: 'o1', value: 'o1: ann/Ann', at: 2 }]);
  });
});
