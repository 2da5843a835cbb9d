import { json, string } from '@millrace/core';
import { timestampedKeyValueStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { type TableJoinKind, tableJoinOperator } from './table-join.ts';
import { tableJoinMergeOperator } from './table-join-merge.ts';
import { joinedTableView } from './table-join-view.ts';
import { tableSourceOperator } from './table-source.ts';
import { storedTableView } from './table-view.ts';

type Side = 'left' | 'right';

interface Setting {
  readonly sendOldValues?: boolean;
  /** Name of the store of the results. */
  readonly store?: string;
  readonly caching?: boolean;
}

const joiner = (left: string | undefined, right: string | undefined) => `${left ?? '-'}${right ?? '-'}`;

async function start(kind: TableJoinKind, { sendOldValues = false, store, caching = false }: Setting = {}) {
  const harness = new OperatorHarness();
  const open = (name: string) => harness.open(timestampedKeyValueStore(name, string(), json<string>(), { caching }), { caching });
  await open('l');
  await open('r');
  const results = store === undefined ? undefined : await open(store);
  const merge = harness.node(tableJoinMergeOperator({ store, sendOldValues }));
  const views = { left: storedTableView<string, string>('l'), right: storedTableView<string, string>('r') };
  const side = (one: Side) => {
    const other = one === 'left' ? views.right : views.left;
    const join = tableJoinOperator<string, string, string, string>({ kind, side: one, other, joiner, sendOldValues });
    const source = tableSourceOperator({ store: one === 'left' ? 'l' : 'r', sendOldValues: true });
    return harness.node(source, harness.node(join, merge));
  };
  const nodes = { left: side('left'), right: side('right') };
  const pipe = (to: Side, value: string | undefined, at: number, key: string | undefined = 'k') => {
    harness.pipe(nodes[to], key, value, at);
    return harness.take().map(({ value, at: time, old }) => {
      const was = old === undefined ? '' : ` was ${old as string}`;
      return `${(value as string | undefined) ?? 'gone'}@${time}${was}`;
    });
  };
  return { harness, nodes, pipe, results, views };
}

/** Every case of the two sides, in order: who changes, to what, at which time, and what comes of it per kind of join. */
const cases: readonly (readonly [
  side: Side,
  value: string | undefined,
  at: number,
  inner: string[],
  left: string[],
  outer: string[],
])[] = [
  ['left', undefined, 1, [], [], []],
  ['right', undefined, 2, [], [], []],
  ['left', 'a', 10, [], ['a-@10'], ['a-@10']],
  ['left', undefined, 11, [], ['gone@11'], ['gone@11']],
  ['right', 'x', 12, [], [], ['-x@12']],
  ['left', 'b', 5, ['bx@12'], ['bx@12'], ['bx@12']],
  ['right', 'y', 3, ['by@5'], ['by@5'], ['by@5']],
  ['left', undefined, 20, ['gone@20'], ['gone@20'], ['-y@20']],
  ['left', undefined, 21, ['gone@21'], ['gone@21'], ['-y@21']],
  ['right', undefined, 22, [], [], ['gone@22']],
  ['left', 'c', 23, [], ['c-@23'], ['c-@23']],
  ['right', 'z', 24, ['cz@24'], ['cz@24'], ['cz@24']],
  ['right', undefined, 25, ['gone@25'], ['c-@25'], ['c-@25']],
  ['right', undefined, 26, ['gone@26'], ['c-@26'], ['c-@26']],
];

describe('table-table join', () => {
  it.each(['inner', 'left', 'outer'] as const)('%s: every combination of rows that come and go', async (kind) => {
    const { pipe } = await start(kind);
    const expected = cases.map(([, , , inner, left, outer]) => ({ inner, left, outer })[kind]);
    expect(cases.map(([side, value, at]) => pipe(side, value, at))).toEqual(expected);
  });

  it('tells old results when something downstream wants them', async () => {
    const { pipe } = await start('outer', { sendOldValues: true });
    expect(pipe('left', 'a', 1)).toEqual(['a-@1']);
    expect(pipe('right', 'x', 2)).toEqual(['ax@2 was a-']);
    expect(pipe('left', 'b', 3)).toEqual(['bx@3 was ax']);
    expect(pipe('left', undefined, 4)).toEqual(['-x@4 was bx']);
    expect(pipe('right', undefined, 5)).toEqual(['gone@5 was -x']);
  });

  it('keeps the results when materialized', async () => {
    const { pipe, results } = await start('inner', { store: 'results', sendOldValues: true });
    pipe('left', 'a', 1);
    expect(pipe('right', 'x', 2)).toEqual(['ax@2']);
    expect(results?.get('k')).toEqual({ value: 'ax', timestamp: 2 });
    expect(pipe('right', undefined, 3)).toEqual(['gone@3 was ax']);
    expect(results?.get('k')).toBeUndefined();
  });

  it('deletes the result of two rows whose deletions caches hold back until the same commit, once', async () => {
    for (const [first, second] of [
      ['left', 'right'],
      ['right', 'left'],
    ] as const) {
      const { harness, pipe } = await start('inner', { caching: true, sendOldValues: true });
      pipe('left', 'a', 1);
      pipe('right', 'x', 2);
      await harness.commit();
      expect(harness.take().map(({ value }) => value)).toEqual(['ax', 'ax']);
      pipe(first, undefined, 3);
      pipe(second, undefined, 4);
      await harness.commit();
      const changes = harness.take();
      expect(changes).toHaveLength(1);
      expect(changes[0]).toMatchObject({ key: 'k', value: undefined, old: 'ax' });
    }
  });

  it('says nothing of rows that come and go between two commits', async () => {
    const { harness, pipe } = await start('inner', { caching: true });
    for (const value of ['a', undefined]) for (const side of ['left', 'right'] as const) pipe(side, value, 1);
    await harness.commit();
    expect(harness.take()).toEqual([]);
  });

  it('drops changes without key, and those of versioned tables that are not the latest', async () => {
    const { harness, views } = await start('inner');
    const other = views.right;
    const node = harness.node(tableJoinOperator({ kind: 'outer', side: 'left', other, joiner, sendOldValues: false }));
    harness.change(node, undefined, 'a', undefined);
    harness.change(node, 'k', 'a', undefined, 1, false);
    expect(harness.dropped).toEqual(['null key', 'older than the row of the versioned table']);
    expect(harness.forwarded).toEqual([]);
  });

  it('refuses an async joiner', async () => {
    const { harness, views } = await start('inner');
    const async = (async () => 'x') as never;
    const node = harness.node(
      tableJoinOperator({ kind: 'left', side: 'left', other: views.right, joiner: async, sendOldValues: false }),
    );
    expect(() => harness.change(node, 'k', 'a', undefined)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });

  it('ends with the join of the last rows, whatever came before; so does its view, and its store', async () => {
    const change = fc.record({
      side: fc.constantFrom<Side>('left', 'right'),
      key: fc.constantFrom('a', 'b'),
      value: fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }),
      at: fc.nat(20),
      commits: fc.boolean(),
    });
    const kinds = fc.constantFrom<TableJoinKind>('inner', 'left', 'outer');
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 25 }), kinds, fc.boolean(), async (changes, kind, caching) => {
        const { harness, nodes, results, views } = await start(kind, { store: 'results', sendOldValues: true, caching });
        const rows = { left: new Map<string, string>(), right: new Map<string, string>() };
        const last = new Map<unknown, unknown>();
        const note = () => {
          // The old result of a change is the one that the change before it made.
          for (const { key, value, old } of harness.take()) {
            expect(old).toEqual(last.get(key));
            last.set(key, value);
          }
        };
        for (const { side, key, value, at, commits } of changes) {
          harness.pipe(nodes[side], key, value, at);
          if (value === undefined) rows[side].delete(key);
          else rows[side].set(key, value);
          if (commits) await harness.commit();
          note();
        }
        await harness.commit();
        note();
        const getter = joinedTableView({ kind, ...views, joiner }).createGetter();
        harness.node(() => ({ init: (context) => getter.init(context), process: () => undefined }));
        for (const key of ['a', 'b']) {
          const expected = joined(kind, rows.left.get(key), rows.right.get(key));
          expect(last.get(key)).toEqual(expected);
          expect(results?.get(key)?.value).toEqual(expected);
          expect(getter.get(key)).toEqual(expected);
        }
      }),
    );
  });
});

function joined(kind: TableJoinKind, left: string | undefined, right: string | undefined): string | undefined {
  if (left === undefined && (kind !== 'outer' || right === undefined)) return undefined;
  if (right === undefined && kind === 'inner') return undefined;
  return joiner(left, right);
}
