/** What users see inferred, and what does not compile. Checked by the compiler, as part of the build. */
import { int64, json, string, topic } from '@millrace/core';
import type { WindowedKey } from '@millrace/state';
import type { AsyncProcessor, Processor } from '@millrace/topology';
import { expectTypeOf } from 'vitest';
import { untilTimeLimit, untilWindowCloses } from './options/suppressed.ts';
import type { KGroupedTable, KStream, KTable } from './streams.ts';
import type { StreamsBuilder } from './streams-builder.ts';
import { SessionWindows } from './windows/session-windows.ts';
import { SlidingWindows } from './windows/sliding-windows.ts';
import { TimeWindows } from './windows/time-windows.ts';

interface Order {
  readonly id: string;
  readonly customer: string;
  readonly cents: number;
}

interface PaidOrder extends Order {
  readonly paidAt: number;
}

interface Payment {
  readonly at: number;
}

const orderTopic = topic('orders', { key: string(), value: json<Order>() });
const paidTopic = topic('paid', { key: string(), value: json<PaidOrder>() });

export function inference(builder: StreamsBuilder): void {
  const orders = builder.stream(orderTopic);
  expectTypeOf(orders).toEqualTypeOf<KStream<string, Order>>();
  expectTypeOf(builder.table(orderTopic)).toEqualTypeOf<KTable<string, Order>>();
  expectTypeOf(orders.mapValues((order) => order.cents)).toEqualTypeOf<KStream<string, number>>();
  expectTypeOf(orders.map((order, id) => [order.cents, id])).toEqualTypeOf<KStream<number, string>>();
  expectTypeOf(orders.flatMap((order, id) => [[order.cents, id] as const])).toEqualTypeOf<KStream<number, string>>();
  expectTypeOf(orders.flatMapValues((order) => order.id.split(' '))).toEqualTypeOf<KStream<string, string>>();
  expectTypeOf(orders.selectKey((order) => order.cents)).toEqualTypeOf<KStream<number, Order>>();
  expectTypeOf(
    orders.mapValues((order) => (order.cents > 1 ? order : undefined)).filter((order) => order !== undefined),
  ).toEqualTypeOf<KStream<string, Order>>();

  const parts = orders.split({ big: (order) => order.cents > 1, odd: (_order, id) => id === 'x' }, { default: 'rest' });
  expectTypeOf(parts).toEqualTypeOf<{ readonly [name in 'big' | 'odd' | 'rest']: KStream<string, Order> }>();
  expectTypeOf(orders.split({ big: () => true })).toEqualTypeOf<{ readonly big: KStream<string, Order> }>();

  const supplier = (): Processor<string, Order, number, boolean> => ({ process: () => undefined });
  expectTypeOf(orders.process(supplier)).toEqualTypeOf<KStream<number, boolean>>();
}

export function tables(builder: StreamsBuilder): void {
  const orders = builder.stream(orderTopic);
  const grouped = orders.groupBy((order) => order.customer, { key: string() });

  // Tombstones only where rows can be deleted.
  expectTypeOf(grouped.count().toStream()).toEqualTypeOf<KStream<string, number>>();
  expectTypeOf(
    grouped
      .aggregate(
        () => 0,
        (total, order) => total + order.cents,
        { value: int64() },
      )
      .toStream(),
  ).toEqualTypeOf<KStream<string, number>>();
  expectTypeOf(
    grouped
      .aggregate(
        () => 0,
        (total, order) => (order.cents < 0 ? undefined : total + order.cents),
        { value: int64() },
      )
      .toStream(),
  ).toEqualTypeOf<KStream<string, number | undefined>>();
  expectTypeOf(grouped.reduce((a, b) => (a.cents > b.cents ? a : b)).toStream()).toEqualTypeOf<KStream<string, Order>>();
  expectTypeOf(builder.table(orderTopic).toStream()).toEqualTypeOf<KStream<string, Order | undefined>>();
  expectTypeOf(grouped.count().filter((count) => count > 1)).toEqualTypeOf<KTable<string, number>>();
  expectTypeOf(grouped.count().mapValues((count) => String(count))).toEqualTypeOf<KTable<string, string, never>>();

  const perMinute = grouped.windowedBy(TimeWindows.ofSize('1 minute')).count();
  expectTypeOf(perMinute.toStream()).toEqualTypeOf<KStream<WindowedKey<string>, number>>();
  const visits = grouped.windowedBy(SessionWindows.ofInactivityGap('5 minutes')).count();
  expectTypeOf(visits.toStream()).toEqualTypeOf<KStream<WindowedKey<string>, number | undefined>>();
  const recent = grouped.windowedBy(SlidingWindows.ofTimeDifference('5 minutes'), { emit: 'on-window-close' }).count();
  expectTypeOf(recent.toStream()).toEqualTypeOf<KStream<WindowedKey<string>, number>>();
  expectTypeOf(perMinute.suppress(untilWindowCloses())).toEqualTypeOf<KTable<WindowedKey<string>, number, never>>();
  expectTypeOf(grouped.count().suppress(untilTimeLimit('1 minute'))).toEqualTypeOf<KTable<string, number, never>>();
  // @ts-expect-error only results of windows can wait for their windows
  grouped.count().suppress(untilWindowCloses());
  const balance = grouped
    .cogroup<number>((total, order) => total + order.cents)
    .cogroup(builder.stream(topic('refunds', { key: string(), value: int64() })).groupByKey(), (total, cents) => total - cents);
  expectTypeOf(balance.aggregate(() => 0)).toEqualTypeOf<KTable<string, number>>();
  expectTypeOf(balance.windowedBy(TimeWindows.ofSize('1 minute')).aggregate(() => 0)).toEqualTypeOf<
    KTable<WindowedKey<string>, number>
  >();
  // @ts-expect-error the aggregates are numbers
  balance.aggregate(() => 'none');
  // @ts-expect-error keys of different types have no common aggregate
  balance.cogroup(builder.stream(topic('numbered', { key: int64(), value: int64() })).groupByKey(), (total) => total);
}

export function joins(builder: StreamsBuilder): void {
  const orders = builder.stream(orderTopic);
  const payments = builder.stream(topic('payments', { key: string(), value: json<Payment>() }));
  const paid = orders.join(payments, (order, payment) => ({ ...order, paidAt: payment.at }), { within: '10 minutes' });
  paid.to(paidTopic);
  // A topic of a wider type takes the stream too.
  paid.to(orderTopic);

  const within = { within: '10 minutes' } as const;
  orders.leftJoin(payments, (order, payment) => order.cents + (payment?.at ?? 0), within);
  // @ts-expect-error the right side of a left join can be missing
  orders.leftJoin(payments, (order, payment) => order.cents + payment.at, within);
  // @ts-expect-error so can both sides of an outer join
  orders.outerJoin(payments, (order, payment) => order.cents + (payment?.at ?? 0), within);

  const numbered = builder.stream(topic('numbered', { key: int64(), value: json<Payment>() }));
  // @ts-expect-error keys of different types never meet
  orders.join(numbered, (order) => order, within);

  const customers = builder.table(topic('customers', { key: string(), value: json<{ readonly name: string }>() }));
  expectTypeOf(orders.join(customers, (order, customer) => [order.id, customer.name])).toEqualTypeOf<KStream<string, string[]>>();
  expectTypeOf(orders.join(orders.groupByKey().count(), (order, count) => order.cents * count)).toEqualTypeOf<
    KStream<string, number>
  >();
  // @ts-expect-error the row of a left join can be missing
  orders.leftJoin(customers, (order, customer) => [order.id, customer.name]);
  // @ts-expect-error a join of streams needs a window
  orders.join(payments, (order) => order);
}

export function asynchronous(builder: StreamsBuilder): void {
  const orders = builder.stream(orderTopic);
  const settings = { concurrency: 4, timeoutMs: 500, retry: { attempts: 3 }, order: 'perPartition' } as const;
  expectTypeOf(orders.mapAsync(async (order, id) => [order.cents, id], settings)).toEqualTypeOf<KStream<number, string>>();
  expectTypeOf(orders.mapValuesAsync(async (order) => order.cents)).toEqualTypeOf<KStream<string, number>>();
  expectTypeOf(
    orders.flatMapAsync(async function* (order, id) {
      yield [order.cents, id] as const;
    }),
  ).toEqualTypeOf<KStream<number, string>>();
  expectTypeOf(orders.flatMapValuesAsync(async (order) => order.id.split(' '))).toEqualTypeOf<KStream<string, string>>();
  expectTypeOf(orders.foreachAsync(async (_order, _id, { signal }) => signal.throwIfAborted())).toEqualTypeOf<void>();
  const supplier = (): AsyncProcessor<string, Order, number, number, boolean> => ({
    request: async ({ value }) => value.cents,
    process: () => undefined,
  });
  expectTypeOf(orders.processAsync(supplier)).toEqualTypeOf<KStream<number, boolean>>();
  // @ts-expect-error what needs no waiting belongs into mapValues
  orders.mapValuesAsync((order) => order.cents);
  // @ts-expect-error a pair is needed, as for map
  orders.mapAsync(async (order) => order.cents);
  // @ts-expect-error no such order
  orders.foreachAsync(async () => undefined, { order: 'perTopic' });
}

export function refused(builder: StreamsBuilder): void {
  const orders = builder.stream(orderTopic);
  // @ts-expect-error a promise would be forwarded as the value
  orders.mapValues(async (order) => order.cents);
  // @ts-expect-error a promise is truthy
  orders.filter(async () => false);
  // @ts-expect-error a key is not a promise
  orders.selectKey((order) => Promise.resolve(order.customer));
  // @ts-expect-error the topic takes other values
  orders.to(topic('numbers', { key: string(), value: int64() }));
  // @ts-expect-error the topic takes other keys
  orders.to(topic('others', { key: int64(), value: json<Order>() }));
  // @ts-expect-error the topic takes more specific values
  orders.to(paidTopic);
  const changes = builder.table(orderTopic).toStream();
  // @ts-expect-error the change of a row may be its deletion
  changes.mapValues((order) => order.cents);
  // @ts-expect-error key first, as in Java
  orders.filter((id: string, order: Order) => order.id === id);
}

export function tablesOfTables(builder: StreamsBuilder): void {
  const orders = builder.table(orderTopic);
  const counts = builder.stream(orderTopic).groupByKey().count();
  const cents = builder.stream(orderTopic).groupByKey().count({ store: 'others' });

  // Rows of the result can be deleted where those that it is made of can.
  expectTypeOf(counts.join(cents, (a, b) => a + b)).toEqualTypeOf<KTable<string, number, never>>();
  expectTypeOf(counts.join(orders, (a, b) => a + b.cents)).toEqualTypeOf<KTable<string, number>>();
  expectTypeOf(counts.leftJoin(orders, (a, b) => a + (b?.cents ?? 0))).toEqualTypeOf<KTable<string, number, never>>();
  expectTypeOf(orders.leftJoin(counts, (a, b) => a.cents + (b ?? 0))).toEqualTypeOf<KTable<string, number>>();
  expectTypeOf(counts.outerJoin(cents, (a, b) => (a ?? 0) + (b ?? 0))).toEqualTypeOf<KTable<string, number, never>>();
  expectTypeOf(counts.join(cents, (a, b) => (a > b ? a : undefined))).toEqualTypeOf<KTable<string, number>>();

  const people = builder.table(topic('people', { key: int64(), value: json<{ readonly name: string }>() }));
  const foreignKey = (order: Order): number => order.cents;
  expectTypeOf(orders.join(people, (order, { name }) => order.id + name, { foreignKey })).toEqualTypeOf<KTable<string, string>>();
  expectTypeOf(counts.leftJoin(people, (_count, person) => person?.name ?? '', { foreignKey: (count) => count })).toEqualTypeOf<
    KTable<string, string, never>
  >();
  // @ts-expect-error keys of different types meet through a foreign key only
  orders.join(people, (order) => order);
  // @ts-expect-error the foreign key is of the other table's key type
  orders.join(people, (order) => order, { foreignKey: (order) => order.id });
  // @ts-expect-error the right side of a left join can be missing
  orders.leftJoin(people, (order, { name }) => order.id + name, { foreignKey });
  // @ts-expect-error so can it with the same key
  orders.leftJoin(counts, (order, count) => order.cents + count);
  // @ts-expect-error a promise would be stored as the value
  orders.join(counts, async (order) => order.cents);

  const grouped = orders.groupBy((order, id) => [order.cents, id], { key: int64(), value: string() });
  expectTypeOf(grouped).toEqualTypeOf<KGroupedTable<number, string>>();
  expectTypeOf(grouped.count()).toEqualTypeOf<KTable<number, number>>();
  expectTypeOf(orders.groupBy((order, id) => (order.cents > 1 ? [id, order.cents] : undefined))).toEqualTypeOf<
    KGroupedTable<string, number>
  >();

  expectTypeOf(orders.transformValues(() => ({ transform: (order) => order?.cents }))).toEqualTypeOf<KTable<string, number>>();
  expectTypeOf(orders.transformValues(() => ({ transform: (order) => order?.cents ?? 0 }))).toEqualTypeOf<
    KTable<string, number, never>
  >();
}
