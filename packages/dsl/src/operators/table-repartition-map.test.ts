import { json, string } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { tableRepartitionMapOperator } from './table-repartition-map.ts';

interface Row {
  readonly city?: string | null;
  readonly cents?: number | null;
}

function start() {
  const harness = new OperatorHarness();
  const mapper = ({ city, cents }: Row) => [city ?? undefined, cents ?? undefined] as const;
  const node = harness.node(tableRepartitionMapOperator<string, Row, string, number>({ mapper, key: string() }));
  const change = (value: Row | undefined, oldValue: Row | undefined) => {
    harness.change(node, 'k', value, oldValue, 7);
    return harness.take().map(({ key, value: added, old }) => ({ key, added, removed: old }));
  };
  return { harness, node, change };
}

const rome = { city: 'Rome', cents: 1 };

describe('grouping a table', () => {
  it.each<[what: string, value: Row | undefined, old: Row | undefined, sent: object[]]>([
    ['a new row enters its group', rome, undefined, [{ key: 'Rome', added: 1 }]],
    ['a deleted row leaves it', undefined, rome, [{ key: 'Rome', removed: 1 }]],
    ['a row that stays is one change', { city: 'Rome', cents: 2 }, rome, [{ key: 'Rome', added: 2, removed: 1 }]],
    [
      'a row that moves leaves first',
      { city: 'Oslo', cents: 2 },
      rome,
      [
        { key: 'Rome', removed: 1 },
        { key: 'Oslo', added: 2 },
      ],
    ],
    ['no group before', rome, { city: null, cents: 2 }, [{ key: 'Rome', added: 1 }]],
    ['no group now', { city: null, cents: 2 }, rome, [{ key: 'Rome', removed: 1 }]],
    ['no value now', { city: 'Rome', cents: null }, rome, [{ key: 'Rome', removed: 1 }]],
    ['nothing at all', undefined, undefined, []],
  ])('%s', (_what, value, old, sent) => {
    expect(start().change(value, old)).toEqual(sent.map((one) => ({ added: undefined, removed: undefined, ...one })));
  });

  it('leaves out what the mapper gives no pair for', () => {
    const harness = new OperatorHarness();
    const node = harness.node(tableRepartitionMapOperator({ mapper: () => undefined as never, key: string() }));
    harness.change(node, 'k', 1, 2);
    expect(harness.forwarded).toEqual([]);
  });

  it('takes keys that are objects for the same when their bytes are', () => {
    const harness = new OperatorHarness();
    const mapper = (value: number) => [{ city: 'Rome' }, value] as const;
    const node = harness.node(tableRepartitionMapOperator({ mapper, key: json<object>() }));
    harness.change(node, 'k', 2, 1);
    expect(harness.forwarded).toEqual([{ key: { city: 'Rome' }, value: 2, at: 0, old: 1 }]);
  });

  it('leaves changes of versioned tables out that are not the latest, without counting them', () => {
    const { harness, node } = start();
    harness.change(node, 'k', rome, undefined, 1, false);
    expect(harness.forwarded).toEqual([]);
    expect(harness.dropped).toEqual([]);
  });

  it('refuses a change without key', () => {
    const { harness, node } = start();
    expect(() => harness.change(node, undefined, rome, undefined)).toThrow(expect.objectContaining({ code: 'NULL_KEY' }));
  });
});
