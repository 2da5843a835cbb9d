import { euros, type Palette } from './picture.ts';
import type { Results } from './results.ts';

/** How much went in. */
export interface InputCounts {
  readonly orders: number;
  readonly payments: number;
}

/** The closing lines: what customers have paid, every difference from the right answer, and the count. */
export function verdictLines(input: InputCounts, results: Results, problems: readonly string[], palette: Palette): string[] {
  const counts = `${input.orders} orders, ${input.payments} payments → ${results.paidCount} paid, ${results.unpaidCount} unpaid`;
  const isRight = problems.length === 0;
  return [
    'what each customer has paid:',
    ...results.totals().map(({ customer, payments, cents }) => {
      return `  ${customer.padEnd(8)} ${String(payments).padStart(4)} payments ${euros(cents).padStart(11)}`;
    }),
    ...problems.map((problem) => palette.red(`wrong: ${problem}`)),
    `${counts}: ${isRight ? palette.green('all right, each pair exactly once') : palette.red('NOT RIGHT')}`,
  ];
}
