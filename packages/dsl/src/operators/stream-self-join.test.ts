import { json, string } from '@millrace/core';
import { joinStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JoinWindows } from '../windows/join-windows.ts';
import { OperatorHarness } from './operator-harness.ts';
import { streamJoinWindowOperator } from './stream-join-window.ts';
import { streamSelfJoinOperator } from './stream-self-join.ts';
import { streamStreamJoinOperators } from './stream-stream-join.ts';

const joiner = (left: string | undefined, right: string | undefined) => `${left}${right}`;

/** A stream joined with itself: by one node over one store, and in the plain way, by two over two. */
async function start(windows: JoinWindows, retentionMs = windows.retentionMs) {
  const stores = { retentionMs: Math.max(1, retentionMs), spanMs: Math.max(1, windows.sizeMs) };
  const one = new OperatorHarness();
  await one.open(joinStore('s', string(), json<string>(), stores));
  const node = one.node(
    streamJoinWindowOperator({ store: 's' }),
    one.node(streamSelfJoinOperator({ windows, joiner, store: 's' })),
  );
  const two = new OperatorHarness();
  for (const name of ['l', 'r']) await two.open(joinStore(name, string(), json<string>(), stores));
  const plain = streamStreamJoinOperators<string, string, string, string>({
    kind: 'inner',
    windows,
    joiner,
    leftStore: 'l',
    rightStore: 'r',
    outerStore: undefined,
  });
  const left = two.node(streamJoinWindowOperator({ store: 'l' }), two.node(plain.left));
  const right = two.node(streamJoinWindowOperator({ store: 'r' }), two.node(plain.right));
  return {
    one,
    self: (key: string | undefined, value: string | undefined, at: number) => {
      one.pipe(node, key, value, at);
      return one.take().map((result) => `${result.value}@${result.at}`);
    },
    plain: (key: string, value: string, at: number) => {
      two.pipe(left, key, value, at);
      two.pipe(right, key, value, at);
      return two.take().map((result) => `${result.value}@${result.at}`);
    },
  };
}

describe('stream self-join', () => {
  it('joins each record with those before it, both ways, and with itself in between', async () => {
    const { self } = await start(JoinWindows.ofTimeDifference(10));
    expect(self('k', 'a', 5)).toEqual(['aa@5']);
    expect(self('k', 'b', 15)).toEqual(['ba@15', 'ab@15', 'bb@15']);
    expect(self('k', 'c', 10)).toEqual(['ca@10', 'cb@15', 'ac@10', 'cc@10', 'bc@15']);
    expect(self('other', 'd', 10)).toEqual(['dd@10']);
  });

  it('looks through asymmetric windows from both ends', async () => {
    const { self } = await start(JoinWindows.ofTimeDifference(0).after(10));
    expect(self('k', 'a', 5)).toEqual(['aa@5']);
    expect(self('k', 'b', 15)).toEqual(['ab@15', 'bb@15']);
    expect(self('k', 'c', 16)).toEqual(['bc@16', 'cc@16']);
  });

  it('drops records without key or value, and joins a record that is too old for its store not with itself', async () => {
    const { one, self } = await start(JoinWindows.ofTimeDifference(10));
    expect(self(undefined, 'a', 5)).toEqual([]);
    expect(self('k', undefined, 5)).toEqual([]);
    expect(one.dropped).toEqual(['null key or value', 'null key or value']);
    expect(self('k', 'a', 100)).toEqual(['aa@100']);
    expect(self('k', 'b', 81)).toEqual([]);
    expect(self('k', 'c', 82)).toEqual(['cb@82', 'bc@82', 'cc@82']);
  });

  it('gives the results of the plain join, in the same order', async () => {
    const record = fc.record({ key: fc.constantFrom('a', 'b'), at: fc.integer({ min: 0, max: 60 }) });
    const bounds = fc.record({ before: fc.integer({ min: 0, max: 15 }), after: fc.integer({ min: 0, max: 15 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 25 }), bounds, async (records, { before, after }) => {
        const windows = JoinWindows.ofTimeDifferenceAndGrace(15, 1000).before(before).after(after);
        const { self, plain } = await start(windows);
        for (const [n, { key, at }] of records.entries()) expect(self(key, `<${n}>`, at)).toEqual(plain(key, `<${n}>`, at));
      }),
    );
  });
});
