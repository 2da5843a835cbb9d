import pc from 'picocolors';
import type { Results } from './results.ts';
import type { CustomerTotal, Order, PaidOrder } from './topology.ts';

/** Writes what flows, as lines of text. */
export class Report {
  readonly #print: (line: string) => void;
  readonly #colors: ReturnType<typeof pc.createColors>;

  constructor(print: (line: string) => void, coloured: boolean) {
    this.#print = print;
    this.#colors = pc.createColors(coloured);
  }

  title(text: string): void {
    this.#print(this.#colors.bold(text));
  }

  note(text: string): void {
    this.#print(this.#colors.dim(text));
  }

  paid(timestamp: number, order: PaidOrder): void {
    const again = order.paymentId.endsWith('-again') ? this.#colors.yellow('  paid again') : '';
    this.#line(timestamp, this.#colors.green('paid   '), order, again);
  }

  unpaid(timestamp: number, order: Order): void {
    this.#line(timestamp, this.#colors.red('unpaid '), order, '');
  }

  /** What has come in and gone out so far. */
  progress(orders: number, payments: number, results: Results): void {
    this.note(`   in: ${orders} orders, ${payments} payments · out: ${results.paidCount} paid, ${results.unpaidCount} unpaid`);
  }

  totals(totals: readonly CustomerTotal[]): void {
    for (const { customer, payments, cents } of totals) {
      this.#print(`${customer.padEnd(8)} ${String(payments).padStart(4)} payments ${euros(cents).padStart(10)}`);
    }
  }

  /** The closing line. @returns true when everything is right */
  verdict(orders: number, payments: number, results: Results): boolean {
    const problems = results.problems();
    for (const problem of problems) this.#print(this.#colors.red(`wrong: ${problem}`));
    const counts = `${orders} orders, ${payments} payments → ${results.paidCount} paid, ${results.unpaidCount} unpaid`;
    const word = problems.length === 0 ? this.#colors.green('all right') : this.#colors.red('NOT RIGHT');
    this.#print(`${counts}: ${word}`);
    return problems.length === 0;
  }

  #line(timestamp: number, what: string, { orderId, customer, cents }: Order, note: string): void {
    const time = this.#colors.dim(new Date(timestamp).toISOString().slice(11, 19));
    this.#print(`${time} ${what} ${orderId} ${customer.padEnd(8)} ${euros(cents).padStart(8)}${note}`);
  }
}

function euros(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')} €`;
}
