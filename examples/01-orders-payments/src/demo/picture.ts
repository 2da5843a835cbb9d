import type pc from 'picocolors';
import { transactionsOf, type RecentResult, type Standing, type WorkerStanding } from './standing.ts';

export type Palette = ReturnType<typeof pc.createColors>;

const BAR_WIDTH = 30;
const LAG_PER_BLOCK = 10;
const LAG_BLOCKS_MAX = 30;
/** Colours of the workers, in their order. */
const WORKER_COLOURS = ['cyan', 'magenta'] as const;

/** What a person at a terminal sees: a pure function of how things stand. No line is longer than 76 characters. */
export function renderPicture(standing: Standing, palette: Palette): string {
  const { orders, ordersInAll, payments, paid, unpaid, workers, recent } = standing;
  const row = (name: string, text: string): string => `${palette.dim(name.padEnd(14))}${text}`;
  const count = (value: number, unit: string): string => `${palette.bold(String(value).padStart(6))} ${unit}`;
  return [
    '',
    row('the hour', `${bar(orders / ordersInAll, palette)} ${Math.floor((100 * orders) / ordersInAll)} %`),
    row('in', count(orders, 'orders') + count(payments, 'payments')),
    row('out', palette.green(count(paid, 'paid  ')) + palette.yellow(count(unpaid, 'unpaid'))),
    row('committed', count(transactionsOf(standing), 'transactions')),
    '',
    ...standing.partitions.map(({ owner, lag }, partition) =>
      row(
        `partition ${partition}`,
        `${paintOwner(owner, workers, palette)} ${palette.dim('lag')} ${lagBar(lag, palette)} ${lag}`,
      ),
    ),
    '',
    ...workers.map((worker, index) => row('', workerText(worker, index, palette))),
    '',
    ...recent.map((result) => row('', resultText(result, palette))),
  ].join('\n');
}

/** Thousandths of a euro do not exist here, nor do debts. */
export function euros(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')} €`;
}

function bar(fraction: number, palette: Palette): string {
  const filled = Math.round(fraction * BAR_WIDTH);
  return palette.cyan('█'.repeat(filled)) + palette.dim('░'.repeat(BAR_WIDTH - filled));
}

function lagBar(lag: number, palette: Palette): string {
  const blocks = Math.min(LAG_BLOCKS_MAX, Math.ceil(lag / LAG_PER_BLOCK));
  return palette.yellow('▪'.repeat(blocks));
}

function paintOwner(owner: string | undefined, workers: readonly WorkerStanding[], palette: Palette): string {
  const text = (owner ?? '–').padEnd(10);
  const index = workers.findIndex(({ name }) => name === owner);
  const isDead = workers[index]?.state === 'killed';
  return isDead ? palette.red(palette.strikethrough(text)) : palette[colourOf(index)](text);
}

function workerText({ name, pid, state, transactions }: WorkerStanding, index: number, palette: Palette): string {
  const painted = state === 'killed' ? palette.red(state.padEnd(17)) : state.padEnd(17);
  return `${palette[colourOf(index)](name.padEnd(10))} ${painted} ${palette.dim(`process ${pid}, ${transactions} transactions`)}`;
}

function resultText({ what, order }: RecentResult, palette: Palette): string {
  const word = what === 'paid' ? palette.green('paid  ') : palette.yellow('unpaid');
  return `${word} ${order.orderId}  ${order.customer.padEnd(8)} ${euros(order.cents).padStart(9)}`;
}

function colourOf(index: number): (typeof WORKER_COLOURS)[number] {
  return WORKER_COLOURS[Math.max(0, index) % WORKER_COLOURS.length] ?? 'cyan';
}
