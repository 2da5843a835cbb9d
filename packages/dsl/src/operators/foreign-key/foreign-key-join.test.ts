/** The operators of a foreign-key join put together, with topics between them that deliver when the test wants. */
import { bytes, json, type Serde, string } from '@millrace/core';
import { prefixedKeyValueStore, timestampedKeyValueStore } from '@millrace/state';
import type { NodeProcessor } from '@millrace/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from '../operator-harness.ts';
import { tableSourceOperator } from '../table-source.ts';
import { storedTableView } from '../table-view.ts';
import { subscriptionPrefixLength } from './foreign-key-serdes.ts';
import { foreignTableJoinOperator } from './foreign-table-join.ts';
import { responseJoinOperator } from './response-join.ts';
import { subscriptionSerde } from './subscription.ts';
import { subscriptionJoinOperator } from './subscription-join.ts';
import { subscriptionReceiveOperator } from './subscription-receive.ts';
import { subscriptionResponseSerde } from './subscription-response.ts';
import { subscriptionSendOperator } from './subscription-send.ts';

interface Order {
  readonly customer: string | null;
  readonly item: string;
}

type Message = readonly [key: unknown, value: Uint8Array, timestamp: number];

/** A topic: keeps the bytes of the values until they are delivered. */
class Topic<T> implements NodeProcessor {
  readonly messages: Message[] = [];
  readonly #serde: Serde<T>;

  constructor(serde: Serde<T>) {
    this.#serde = serde;
  }

  init(): void {
    // Nothing to prepare.
  }

  process(key: unknown, value: unknown, timestamp: number): void {
    this.messages.push([key, Buffer.from(this.#serde.serialize(value as T, 'topic')), timestamp]);
  }

  deliver(harness: OperatorHarness, to: NodeProcessor): boolean {
    const next = this.messages.shift();
    if (next === undefined) return false;
    const [key, value, timestamp] = next;
    harness.pipe(to, key, this.#serde.deserialize(value, 'topic'), timestamp);
    return true;
  }
}

async function start(kind: 'inner' | 'left', caching = false) {
  const harness = new OperatorHarness();
  const table = (name: string) => timestampedKeyValueStore(name, string(), json<never>(), { caching });
  await harness.open(table('orders'), { caching });
  await harness.open(table('customers'), { caching });
  const subscriptions = await harness.open(
    prefixedKeyValueStore('subscriptions', bytes(), subscriptionSerde, { prefixLength: subscriptionPrefixLength }),
  );
  const registrations = new Topic(subscriptionSerde);
  const responses = new Topic(subscriptionResponseSerde(json<string>()));
  const serdes = { primaryKey: string(), leftValue: json<Order>(), foreignKey: string(), topic: 'topic' };
  const foreignKey = ({ customer }: Order) => customer;
  const joiner = (order: Order, name: string | undefined) => `${order.item} for ${name ?? 'nobody'}`;
  const send = harness.node(subscriptionSendOperator({ kind, foreignKey, serdes }), registrations);
  const foreign = harness.node(foreignTableJoinOperator({ store: 'subscriptions', serdes }), responses);
  const join = harness.node(subscriptionJoinOperator({ right: storedTableView('customers'), serdes }), responses);
  const nodes = {
    orders: harness.node(tableSourceOperator({ store: 'orders', sendOldValues: true }), send),
    customers: harness.node(tableSourceOperator({ store: 'customers', sendOldValues: true }), foreign),
    receive: harness.node(subscriptionReceiveOperator({ store: 'subscriptions', serdes }), join),
    resolve: harness.node(responseJoinOperator({ kind, left: storedTableView<string, Order>('orders'), joiner, serdes })),
  };
  /** What tasks do between records. @returns whether there was anything to do */
  const step = {
    registration: () => registrations.deliver(harness, nodes.receive),
    response: () => responses.deliver(harness, nodes.resolve),
  };
  const settle = async () => {
    await harness.commit();
    await harness.settle();
    while (step.registration() || step.response());
  };
  const pipe = async (side: 'orders' | 'customers', key: string, value: unknown, at: number) => {
    harness.pipe(nodes[side], key, value, at);
    await settle();
    return harness.take().map((one) => `${one.key as string}: ${(one.value as string | undefined) ?? 'gone'}@${one.at}`);
  };
  return { harness, nodes, subscriptions, step, settle, pipe };
}

const order = (customer: string | null, item = 'pen'): Order => ({ customer, item });

describe('foreign-key join', () => {
  it('inner: a result when both rows are there, with the later timestamp', async () => {
    const { pipe } = await start('inner');
    expect(await pipe('orders', 'o1', order('ann'), 10)).toEqual([]);
    expect(await pipe('customers', 'ann', 'Ann', 5)).toEqual(['o1: pen for Ann@5']);
    expect(await pipe('orders', 'o2', order('ann', 'cup'), 3)).toEqual(['o2: cup for Ann@5']);
    expect(await pipe('customers', 'ann', 'Anna', 20)).toEqual(['o1: pen for Anna@20', 'o2: cup for Anna@20']);
    expect(await pipe('orders', 'o2', order('bob', 'cup'), 21)).toEqual(['o2: gone@21']);
    expect(await pipe('orders', 'o1', order(null), 22)).toEqual(['o1: gone@22']);
    expect(await pipe('customers', 'ann', undefined, 23)).toEqual([]);
  });

  it('left: a result for every left row', async () => {
    const { pipe } = await start('left');
    expect(await pipe('orders', 'o1', order(null), 1)).toEqual(['o1: pen for nobody@1']);
    expect(await pipe('orders', 'o1', order('ann'), 2)).toEqual(['o1: pen for nobody@2']);
    expect(await pipe('customers', 'ann', 'Ann', 3)).toEqual(['o1: pen for Ann@3']);
    expect(await pipe('customers', 'ann', undefined, 4)).toEqual(['o1: pen for nobody@4']);
    expect(await pipe('orders', 'o1', undefined, 5)).toEqual(['o1: gone@5']);
  });

  it('finds the subscribers of exactly one row, though its key begins that of another', async () => {
    const { pipe } = await start('inner');
    await pipe('orders', 'o1', order('a'), 1);
    await pipe('orders', 'o2', order('ab'), 1);
    expect(await pipe('customers', 'a', 'A', 2)).toEqual(['o1: pen for A@2']);
    expect(await pipe('customers', 'ab', 'AB', 2)).toEqual(['o2: pen for AB@2']);
  });

  it('drops an answer for a value that is not the current one any more', async () => {
    const { harness, nodes, settle } = await start('left');
    harness.pipe(nodes.orders, 'o1', order('ann', 'pen'), 1);
    harness.pipe(nodes.orders, 'o1', order('ann', 'cup'), 2);
    await settle();
    expect(harness.take().map(({ value }) => value)).toEqual(['cup for nobody']);
    expect(harness.dropped).toEqual(['out-of-date answer of a foreign-key join']);
  });

  it('drops subscriptions and right rows without key', async () => {
    const { harness, nodes } = await start('inner');
    const subscription = { instruction: 3, hash: undefined, primaryKey: Buffer.from('p'), primaryPartition: 0 };
    harness.pipe(nodes.receive, undefined, subscription);
    const foreign = harness.node(
      foreignTableJoinOperator({
        store: 'subscriptions',
        serdes: { primaryKey: string(), leftValue: json(), foreignKey: string(), topic: 'topic' },
      }),
    );
    harness.change(foreign, undefined, 'x', undefined);
    harness.change(foreign, 'ann', 'x', undefined, 1, false);
    expect(harness.dropped).toEqual(['null foreign key', 'null key', 'older than the row of the versioned table']);
  });

  it('answers all changes that a flush brings at once, each with its own time', async () => {
    const { harness, nodes, settle } = await start('inner', true);
    for (const customer of ['ann', 'bob']) harness.pipe(nodes.orders, `of ${customer}`, order(customer), 1);
    await settle();
    harness.pipe(nodes.customers, 'ann', 'Ann', 7);
    harness.pipe(nodes.customers, 'bob', 'Bob', 8);
    await settle();
    expect(harness.take().map(({ key, value, at }) => [key, value, at])).toEqual([
      ['of ann', 'pen for Ann', 7],
      ['of bob', 'pen for Bob', 8],
    ]);
  });

  it('takes back what was made of a right row that comes and goes between two commits', async () => {
    const { harness, nodes, step, settle } = await start('inner', true);
    harness.pipe(nodes.orders, 'o1', order('ann'), 1);
    await harness.commit();
    harness.pipe(nodes.customers, 'ann', 'Ann', 2);
    step.registration();
    harness.pipe(nodes.customers, 'ann', undefined, 3);
    await settle();
    expect(harness.take().map(({ value }) => value)).toEqual(['pen for Ann', undefined]);
  });

  it('ends with the join of the last rows, however changes and topics overtake one another', async () => {
    const customer = fc.constantFrom('a', 'b', 'ab', null);
    const event = fc.oneof(
      fc.record({
        kind: fc.constant('order' as const),
        key: fc.constantFrom('1', '2', '3'),
        value: fc.option(fc.record({ customer, item: fc.constantFrom('pen', 'cup') }), { nil: undefined }),
      }),
      fc.record({
        kind: fc.constant('customer' as const),
        key: fc.constantFrom('a', 'b', 'ab'),
        value: fc.option(fc.constantFrom('X', 'Y'), { nil: undefined }),
      }),
      fc.constantFrom({ kind: 'registration' as const }, { kind: 'response' as const }, { kind: 'commit' as const }),
    );
    const events = fc.array(event, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(events, fc.constantFrom('inner', 'left'), fc.boolean(), async (inputs, kind, caching) => {
        const { harness, nodes, subscriptions, step, settle } = await start(kind, caching);
        const orders = new Map<string, Order>();
        const customers = new Map<string, string>();
        for (const input of inputs) {
          if (input.kind === 'order') {
            harness.pipe(nodes.orders, input.key, input.value);
            set(orders, input.key, input.value);
          } else if (input.kind === 'customer') {
            harness.pipe(nodes.customers, input.key, input.value);
            set(customers, input.key, input.value);
          } else if (input.kind === 'commit') await harness.commit();
          else step[input.kind]();
          await harness.settle();
        }
        await settle();
        const results = new Map(harness.forwarded.map(({ key, value }) => [key, value]));
        for (const key of ['1', '2', '3']) {
          expect(results.get(key)).toEqual(expectedResult(kind, orders.get(key), customers));
        }
        let subscribed = 0;
        for await (const _ of subscriptions.all()) subscribed++;
        expect(subscribed).toBe([...orders.values()].filter((one) => one.customer !== null).length);
      }),
    );
  });
});

function set<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function expectedResult(
  kind: 'inner' | 'left',
  row: Order | undefined,
  customers: ReadonlyMap<string, string>,
): string | undefined {
  if (row === undefined) return undefined;
  const name = row.customer === null ? undefined : customers.get(row.customer);
  if (name === undefined && kind === 'inner') return undefined;
  return `${row.item} for ${name ?? 'nobody'}`;
}
