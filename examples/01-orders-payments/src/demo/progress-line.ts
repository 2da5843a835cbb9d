import { transactionsOf, type Standing } from './standing.ts';

/** How things stand, in one line of plain text. */
export function progressLine(standing: Standing): string {
  const { orders, payments, paid, unpaid, partitions } = standing;
  const shares = partitions.map(({ owner, lag }, partition) => `${partition} ${owner ?? 'nobody'} lag ${lag}`);
  const flow = `in ${orders} orders ${payments} payments, out ${paid} paid ${unpaid} unpaid`;
  return `${flow}, ${transactionsOf(standing)} transactions | partition ${shares.join(', ')}`;
}
