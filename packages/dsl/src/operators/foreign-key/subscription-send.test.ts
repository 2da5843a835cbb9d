import { json, string } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from '../operator-harness.ts';
import { murmur3 } from './murmur3.ts';
import type { Subscription } from './subscription.ts';
import { subscriptionSendOperator } from './subscription-send.ts';

interface Order {
  readonly customer: string | null;
}

const names = ['forget', 'forget and answer', 'answer always', 'answer if present'];

function start(kind: 'inner' | 'left') {
  const harness = new OperatorHarness();
  const sent: { readonly to: string | undefined; readonly subscription: Subscription; readonly at: number }[] = [];
  const node = harness.node(
    subscriptionSendOperator<string, Order, string>({
      kind,
      foreignKey: ({ customer }) => customer,
      serdes: { primaryKey: string(), leftValue: json(), foreignKey: string(), topic: 'topic' },
    }),
    {
      init: () => undefined,
      // A copy: the operator uses one object again and again.
      process: (to, value, at) => {
        sent.push({ to: to as string | undefined, subscription: { ...(value as Subscription) }, at });
      },
    },
  );
  return { harness, node, sent };
}

const to = (customer: string | null | undefined): Order | undefined => (customer === undefined ? undefined : { customer });

type Case = readonly [
  before: string | null | undefined,
  now: string | null | undefined,
  inner: string[],
  left: string[],
  dropped: number,
];

/** Foreign key before and now (null: a row that refers to nothing, undefined: no row), and what each kind of join sends. */
const cases: readonly Case[] = [
  [undefined, undefined, [], [], 0],
  [undefined, 'a', ['a: answer if present'], ['a: answer always'], 0],
  [undefined, null, [], ['nothing: answer always'], 1],
  ['a', 'a', ['a: answer if present'], ['a: answer always'], 0],
  ['a', 'b', ['a: forget', 'b: answer always'], ['a: forget', 'b: answer always'], 0],
  ['a', null, ['a: forget and answer'], ['a: forget', 'nothing: answer always'], 1],
  ['a', undefined, ['a: forget and answer'], ['a: forget', 'nothing: answer always'], 0],
  [null, 'a', ['a: answer if present'], ['a: answer always'], 0],
  [null, null, [], ['nothing: answer always'], 1],
  [null, undefined, [], ['nothing: answer always'], 0],
];

describe('subscriptions of a foreign-key join', () => {
  it.each(['inner', 'left'] as const)('%s: what a change of the left row sends', (kind) => {
    for (const [before, now, inner, left, dropped] of cases) {
      const { harness, node, sent } = start(kind);
      harness.change(node, 'p', to(now), to(before), 5);
      const texts = sent.map((one) => `${one.to ?? 'nothing'}: ${names[one.subscription.instruction]}`);
      expect({ before, now, sent: texts }).toEqual({ before, now, sent: kind === 'inner' ? inner : left });
      expect(harness.dropped).toEqual(kind === 'inner' && dropped === 1 ? ['null foreign key'] : []);
    }
  });

  it('carry the hash of the value, the key of the row and the partition of the task', () => {
    const { harness, node, sent } = start('left');
    harness.change(node, 'p', to('b'), to('a'), 5);
    harness.change(node, 'p', undefined, to('b'), 6);
    const hash = Buffer.alloc(16);
    const bytes = Buffer.from('{"customer":"b"}');
    murmur3(bytes, 0, bytes.length, hash);
    const fixed = { primaryKey: Buffer.from('p'), primaryPartition: 0 };
    expect(sent).toEqual([
      { to: 'a', subscription: { ...fixed, instruction: 0, hash }, at: 5 },
      { to: 'b', subscription: { ...fixed, instruction: 2, hash }, at: 5 },
      { to: 'b', subscription: { ...fixed, instruction: 0, hash: undefined }, at: 6 },
      { to: undefined, subscription: { ...fixed, instruction: 2, hash: undefined }, at: 6 },
    ]);
  });

  it('are not sent for changes of versioned tables that are not the latest', () => {
    const { harness, node, sent } = start('inner');
    harness.change(node, 'p', to('a'), undefined, 5, false);
    expect(sent).toEqual([]);
    expect(harness.dropped).toEqual(['older than the row of the versioned table']);
  });

  it('need a synchronous foreign key', () => {
    const harness = new OperatorHarness();
    const node = harness.node(
      subscriptionSendOperator({
        kind: 'inner',
        foreignKey: (async () => 'a') as never,
        serdes: { primaryKey: string(), leftValue: json(), foreignKey: string(), topic: 'topic' },
      }),
    );
    expect(() => harness.change(node, 'p', {}, undefined)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });
});
