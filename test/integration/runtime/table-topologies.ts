import { int64, string, topic } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import type { Topology } from '@millrace/topology';

const text = { key: string(), value: string() };

/**
 * Orders (`<prefix>input`, values `<customer>:<item>`) refer to customers (`<prefix>customers`, values are names), which are
 * partitioned in another way: `<item> for <name>` in `<prefix>output`, and how many orders there are per name in `<prefix>counts`.
 */
export function referring(prefix: string): Topology {
  const builder = new StreamsBuilder();
  const orders = builder.table(topic(`${prefix}input`, text));
  const customers = builder.table(topic(`${prefix}customers`, text));
  const named = orders.leftJoin(customers, (order, name) => `${order.split(':')[1]} for ${name ?? 'nobody'}`, {
    name: 'refer',
    foreignKey: (order) => order.split(':')[0],
    store: 'named',
    value: string(),
  });
  named.toStream().to(topic(`${prefix}output`, text));
  named
    .groupBy((value) => [value.split(' for ')[1], value], { ...text, name: 'by-name' })
    .count({ store: 'per-name' })
    .toStream()
    .to(topic(`${prefix}counts`, { key: string(), value: int64() }));
  return builder.build();
}
