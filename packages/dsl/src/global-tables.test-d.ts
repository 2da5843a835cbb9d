/** What the compiler says of global tables. Checked as part of the build. */
import { json, string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { expectTypeOf } from 'vitest';
import type { KStream } from './streams.ts';
import type { StreamsBuilder } from './streams-builder.ts';
import type { GlobalKTable } from './table/global-table.ts';

interface Order {
  readonly customer?: number;
  readonly cents: number;
}

export function globalTables(builder: StreamsBuilder): void {
  const orders = builder.stream(topic('orders', { key: string(), value: json<Order>() }));
  const customers = builder.globalTable(topic('customers', { key: json<number>(), value: json<{ readonly name: string }>() }));
  expectTypeOf(customers).toEqualTypeOf<GlobalKTable<number, { readonly name: string }>>();

  const keySelector = (order: Order) => order.customer;
  expectTypeOf(orders.join(customers, (order, { name }) => `${name}${order.cents}`, { keySelector })).toEqualTypeOf<
    KStream<string, string>
  >();
  expectTypeOf(orders.leftJoin(customers, (_order, customer) => customer?.name, { keySelector })).toEqualTypeOf<
    KStream<string, string | undefined>
  >();
  // @ts-expect-error the row can be missing in a left join
  orders.leftJoin(customers, (_order, { name }) => name, { keySelector });
  // @ts-expect-error the selector gives keys of the table
  orders.join(customers, (order) => order, { keySelector: (_order, id) => id });
  // @ts-expect-error there is no join without a selector
  orders.join(customers, (order) => order);
  // @ts-expect-error both sides have to be there: a global table has no changes that could be kept
  orders.outerJoin(customers, (order) => order, { keySelector });

  const store = keyValueStore('rates', string(), json<number>());
  builder.addGlobalStore(store, topic('rates', { key: string(), value: json<number>() }), () => ({
    process: ({ key, value }) => {
      expectTypeOf(key).toEqualTypeOf<string>();
      expectTypeOf(value).toEqualTypeOf<number>();
    },
  }));
}
