import { isDeepStrictEqual } from 'node:util';
import { isClosing } from './closing.ts';
import { pairId, type Outcome } from './expected.ts';
import type { CustomerTotal, Order, PaidOrder } from '../topology.ts';

/** Collects what the topology writes and compares it with what it should have written. */
export class Results {
  readonly #expected: Outcome;
  readonly #paid = new Map<string, PaidOrder>();
  readonly #unpaid = new Map<string, Order>();
  readonly #totals = new Map<string, CustomerTotal>();
  readonly #problems: string[] = [];

  constructor(expected: Outcome) {
    this.#expected = expected;
  }

  /** These three return whether the record is part of the result: those that only close windows are not. */
  addPaid(order: PaidOrder): boolean {
    return this.#add('paid order', this.#paid, pairId(order.orderId, order.paymentId), order);
  }

  addUnpaid(order: Order): boolean {
    return this.#add('unpaid order', this.#unpaid, order.orderId, order);
  }

  addTotal(total: CustomerTotal): boolean {
    if (isClosing(total.customer)) return false;
    const before = this.#totals.get(total.customer)?.payments ?? 0;
    if (total.payments <= before)
      this.#problems.push(`total of ${total.customer} went from ${before} to ${total.payments} payments`);
    this.#totals.set(total.customer, total);
    return true;
  }

  get paidCount(): number {
    return this.#paid.size;
  }

  get unpaidCount(): number {
    return this.#unpaid.size;
  }

  /** The last total of each customer, by name. */
  totals(): CustomerTotal[] {
    return [...this.#totals.values()].sort((a, b) => a.customer.localeCompare(b.customer));
  }

  /** True when everything that must come has come; whether too much has come, `problems` says. */
  get complete(): boolean {
    const { paid, unpaid, totals } = this.#expected;
    return hasAll(this.#paid, paid) && hasAll(this.#unpaid, unpaid) && hasAll(this.#totals, totals);
  }

  /** Every difference from the right answer; none means exactly right: nothing lost, nothing twice, nothing wrong. */
  problems(): string[] {
    return [
      ...this.#problems,
      ...differences('paid orders', this.#paid, this.#expected.paid),
      ...differences('unpaid orders', this.#unpaid, this.#expected.unpaid),
      ...differences('totals', this.#totals, this.#expected.totals),
    ];
  }

  #add<V extends Order>(what: string, to: Map<string, V>, id: string, value: V): boolean {
    if (isClosing(value.orderId)) return false;
    if (to.has(id)) this.#problems.push(`${what} ${id} came twice`);
    to.set(id, value);
    return true;
  }
}

function hasAll<V>(actual: ReadonlyMap<string, V>, expected: ReadonlyMap<string, V>): boolean {
  return [...expected].every(([id, value]) => isDeepStrictEqual(actual.get(id), value));
}

function differences<V>(what: string, actual: ReadonlyMap<string, V>, expected: ReadonlyMap<string, V>): string[] {
  const missing = [...expected.keys()].filter((id) => !actual.has(id));
  const unexpected = [...actual.keys()].filter((id) => !expected.has(id));
  const wrong = [...actual].filter(([id, value]) => expected.has(id) && !isDeepStrictEqual(value, expected.get(id)));
  return [
    ...(missing.length === 0 ? [] : [`${what}: ${missing.length} missing, such as ${missing[0]}`]),
    ...(unexpected.length === 0 ? [] : [`${what}: ${unexpected.length} too many, such as ${unexpected[0]}`]),
    ...(wrong.length === 0 ? [] : [`${what}: ${wrong.length} wrong, such as ${wrong[0]?.[0]}`]),
  ];
}
