import { json, string } from '@millrace/core';
import { recordBuffer, versionedKeyValueStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Forwarded, OperatorHarness } from './operator-harness.ts';
import { streamTableGraceJoinOperator } from './stream-table-grace-join.ts';
import { streamTableJoinOperator } from './stream-table-join.ts';
import { tableSourceOperator } from './table-source.ts';
import { filteredTableView, mappedTableView, storedTableView } from './table-view.ts';

const key = string();
const value = json<number>();
const joiner = (left: number, right: number | undefined) => `${left}/${right ?? '-'}`;
const historyRetentionMs = 1000;
const nowhere = { init: () => undefined, process: () => undefined };

async function start(kind: 'inner' | 'left', graceMs: number) {
  const harness = new OperatorHarness();
  const table = storedTableView<string, number>('table', historyRetentionMs);
  await harness.open(versionedKeyValueStore('table', key, value, { historyRetentionMs }));
  const buffer = await harness.open(recordBuffer('buffer', key, value, { graceMs }));
  const source = harness.node(tableSourceOperator({ store: 'table', sendOldValues: false }), nowhere);
  const join = harness.node(streamTableGraceJoinOperator({ kind, table, joiner, buffer: 'buffer' }));
  return { harness, source, join, buffer, table };
}

describe('stream-table join with grace', () => {
  it('joins a record when stream time is the grace beyond it, with the row of its own time', async () => {
    const { harness, source, join } = await start('inner', 10);
    harness.pipe(source, 'a', 1, 0);
    harness.pipe(join, 'a', 100, 20);
    harness.pipe(source, 'a', 3, 25);
    harness.pipe(source, 'a', 2, 15);
    harness.pipe(join, 'a', 101, 29);
    expect(harness.take()).toEqual([]);
    harness.pipe(join, 'a', 102, 30);
    expect(harness.take()).toEqual([{ key: 'a', value: '100/2', at: 20 }]);
    harness.pipe(join, 'b', 103, 50);
    expect(harness.take()).toEqual([
      { key: 'a', value: '101/3', at: 29 },
      { key: 'a', value: '102/3', at: 30 },
    ]);
  });

  it('lets records go in the order of their times, with their headers', async () => {
    const { harness, join } = await start('left', 10);
    const headers = [{ key: 'h', value: undefined }];
    harness.pipe(join, 'b', 1, 9);
    harness.pipe(join, 'a', 2, 9, headers);
    harness.pipe(join, 'a', 3, 9);
    harness.pipe(join, 'c', 4, 5);
    harness.pipe(join, 'd', 5, 19);
    expect(harness.take()).toEqual([
      { key: 'c', value: '4/-', at: 5 },
      { key: 'a', value: '2/-', at: 9, headers },
      { key: 'a', value: '3/-', at: 9 },
      { key: 'b', value: '1/-', at: 9 },
    ]);
  });

  it('joins a record at once that is older than the grace', async () => {
    const { harness, source, join } = await start('inner', 10);
    harness.pipe(source, 'a', 1, 0);
    harness.pipe(join, 'a', 100, 50);
    harness.pipe(join, 'a', 101, 39);
    expect(harness.take()).toEqual([{ key: 'a', value: '101/1', at: 39 }]);
    harness.pipe(join, 'a', 102, 40);
    expect(harness.take()).toEqual([{ key: 'a', value: '102/1', at: 40 }]);
  });

  it('drops records without value, and in an inner join those without key; a left join has nothing to wait for', async () => {
    const inner = await start('inner', 10);
    inner.harness.pipe(inner.join, undefined, 1);
    inner.harness.pipe(inner.join, 'a', undefined);
    expect(inner.harness.dropped).toEqual(['null key or value', 'null key or value']);
    const left = await start('left', 10);
    left.harness.pipe(left.join, undefined, 1, 5);
    left.harness.pipe(left.join, 'a', undefined);
    expect(left.harness.dropped).toEqual(['null key or value']);
    expect(left.harness.take()).toEqual([{ key: undefined, value: '1/-', at: 5 }]);
  });

  it('without grace, too, takes the row of the record’s time from a versioned table, filtered or mapped', async () => {
    const { harness, source, table } = await start('inner', 0);
    const view = mappedTableView(
      filteredTableView(table, (row) => row > 1, false),
      (row) => row * 10,
    );
    const join = harness.node(streamTableJoinOperator({ kind: 'left', table: view, joiner }));
    for (const row of [1, 2, 3]) harness.pipe(source, 'a', row, row * 10);
    for (const at of [9, 10, 25, 30]) harness.pipe(join, 'a', at, at);
    expect(harness.take().map((result) => result.value)).toEqual(['9/-', '10/-', '25/20', '30/30']);
  });

  it('gives what joining every record with the complete past of the table gives', async () => {
    const name = fc.constantFrom('a', 'b');
    const rows = fc.array(fc.record({ name, n: fc.nat(9), time: fc.nat(80) }), { maxLength: 15 });
    const records = fc.array(fc.record({ name, n: fc.nat(9), time: fc.nat(80) }), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(fc.nat(30), rows, records, async (graceMs, changes, stream) => {
        const { harness, source, join } = await start('left', graceMs);
        for (const { name: row, n, time } of changes) harness.pipe(source, row, n, time);
        for (const { name: record, n, time } of stream) harness.pipe(join, record, n, time);
        harness.pipe(join, 'end', 0, 1000);
        expect(harness.take()).toEqual(naively(changes, stream, graceMs));
      }),
    );
  });
});

interface Timed {
  readonly name: string;
  readonly n: number;
  readonly time: number;
}

function naively(changes: readonly Timed[], stream: readonly Timed[], graceMs: number): Forwarded[] {
  const rowAt = (name: string, time: number) =>
    changes
      .filter((change) => change.name === name && change.time <= time)
      .toSorted((a, b) => a.time - b.time)
      .at(-1)?.n;
  const forwarded: Forwarded[] = [];
  const join = ({ name, n, time }: Timed) => forwarded.push({ key: name, value: joiner(n, rowAt(name, time)), at: time });
  let waiting: Timed[] = [];
  let streamTime = -1;
  for (const record of [...stream, { name: 'end', n: 0, time: 1000 }]) {
    if (record.time < streamTime - graceMs) join(record);
    else waiting.push(record);
    streamTime = Math.max(streamTime, record.time);
    waiting.sort((a, b) => a.time - b.time || (a.name === b.name ? 0 : a.name < b.name ? -1 : 1));
    for (const due of waiting.filter(({ time }) => time <= streamTime - graceMs)) join(due);
    waiting = waiting.filter(({ time }) => time > streamTime - graceMs);
  }
  return forwarded;
}
