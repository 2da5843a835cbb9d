import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { streamTableJoinOperator } from './stream-table-join.ts';
import { tableSourceOperator } from './table-source.ts';
import { filteredTableView, mappedTableView, storedTableView, type TableView } from './table-view.ts';

const joiner = (left: string, right: string | number | undefined) => `${left}/${right ?? '-'}`;

async function start(kind: 'inner' | 'left', table: TableView<string, string | number> = storedTableView('table')) {
  const harness = new OperatorHarness();
  await harness.open(timestampedKeyValueStore('table', string(), json<number>()));
  const source = harness.node(tableSourceOperator({ store: 'table', sendOldValues: false }), {
    init: () => undefined,
    process: () => undefined,
  });
  const join = harness.node(streamTableJoinOperator({ kind, table, joiner }));
  return { harness, source, join };
}

describe('stream-table join', () => {
  it('inner: joins with the row of the moment, and gives nothing when there is none', async () => {
    const { harness, source, join } = await start('inner');
    harness.pipe(join, 'a', 'early', 1);
    harness.pipe(source, 'a', 7, 50);
    harness.pipe(join, 'a', 'then', 2);
    harness.pipe(source, 'a', undefined, 60);
    harness.pipe(join, 'a', 'late', 3);
    expect(harness.forwarded).toEqual([{ key: 'a', value: 'then/7', at: 2 }]);
    expect(harness.dropped).toEqual([]);
  });

  it('inner: drops records without key or value', async () => {
    const { harness, join } = await start('inner');
    harness.pipe(join, undefined, 'x');
    harness.pipe(join, 'a', undefined);
    expect(harness.dropped).toEqual(['null key or value', 'null key or value']);
  });

  it('left: joins with nothing when there is no row, or no key', async () => {
    const { harness, join } = await start('left');
    harness.pipe(join, 'a', 'x', 1);
    harness.pipe(join, undefined, 'y', 2);
    harness.pipe(join, undefined, undefined, 3);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 'x/-', at: 1 },
      { key: undefined, value: 'y/-', at: 2 },
    ]);
    expect(harness.dropped).toEqual(['null key or value']);
  });

  it('looks a table without store up in its parent', async () => {
    const passing = filteredTableView(storedTableView<string, number>('table'), (value) => value > 1, false);
    const { harness, source, join } = await start(
      'left',
      mappedTableView(passing, (value, key) => key + value),
    );
    harness.pipe(source, 'a', 2);
    harness.pipe(source, 'b', 1);
    harness.pipe(join, 'a', 'x');
    harness.pipe(join, 'b', 'x');
    expect(harness.forwarded.map((one) => one.value)).toEqual(['x/a2', 'x/-']);
  });
});
