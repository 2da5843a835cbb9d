import type { KafkaClient } from '@millrace/client';
import { CancelledError, systemClock } from '@millrace/core';
import type { Order, Topics } from '../topology.ts';
import type { WorkerOrders } from '../worker/orders.ts';
import type { Display } from './display.ts';
import { expectedOutcome } from './expected.ts';
import { Feed } from './feed.ts';
import { generateArrivals } from './generator.ts';
import { GroupWatch } from './group-watch.ts';
import { Input } from './input.ts';
import type { DemoOptions } from './options.ts';
import { output, OutputReader } from './output-reader.ts';
import { Results } from './results.ts';
import type { RecentResult, Standing } from './standing.ts';
import { StartError } from './start-error.ts';
import { verdictLines } from './verdict.ts';
import { WorkerProcess } from './worker-process.ts';

const WORKERS = ['worker-1', 'worker-2'];
const POLL_MS = 50;
const SHOW_MS = 150;
const RECENT_MAX = 6;
/** Event time begins this long ago, so that no timestamp, late payments and closing records included, lies in the future. */
const BEGINS_AGO_MS = 2 * 3_600_000;
/** The workers must have shared the partitions by then. */
const SHARED_MAX_MS = 60_000;
/** Whatever has not come by then is missing. */
const RUN_MAX_MS = 120_000;

export interface DemoParts {
  readonly client: KafkaClient;
  readonly topics: Topics;
  readonly partitions: number;
  /** For each worker, but for its name. */
  readonly orders: Omit<WorkerOrders, 'name'>;
  readonly options: Pick<DemoOptions, 'orders' | 'seconds' | 'seed'>;
  readonly display: Display;
  /** By the monotonic clock. */
  readonly startedMs: number;
}

/** The plot: two workers share the work, one is killed half-way, the other takes over, and every result is counted. */
export class Demo implements AsyncDisposable {
  readonly #parts: DemoParts;
  readonly #feed: Feed;
  readonly #input: Input;
  readonly #results: Results;
  readonly #reader: OutputReader;
  readonly #watch: GroupWatch;
  readonly #recent: RecentResult[] = [];
  readonly #workers: WorkerProcess[] = [];
  readonly #problems: string[] = [];
  /** Ends what goes on in the background. */
  readonly #ending = new AbortController();
  #failure: unknown;

  constructor(parts: DemoParts) {
    const { client, topics, partitions, options, orders } = parts;
    const arrivals = generateArrivals(options.orders, systemClock.nowMs() - BEGINS_AGO_MS, options.seed);
    this.#parts = parts;
    this.#feed = new Feed(client, topics);
    this.#input = new Input(arrivals, this.#feed, systemClock);
    this.#results = new Results(expectedOutcome(arrivals));
    this.#reader = new OutputReader(client, this.#outputs(topics), partitions);
    this.#watch = new GroupWatch(client, orders.applicationId, topics, partitions, systemClock);
  }

  /** @throws CancelledError after the signal; StartError when a worker ends by itself */
  async run(signal: AbortSignal): Promise<boolean> {
    const stop = AbortSignal.any([signal, this.#ending.signal]);
    try {
      return await this.#play(stop);
    } catch (error) {
      throw this.#failure ?? (stop.aborted ? new CancelledError() : error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.#reader[Symbol.asyncDispose]();
    await this.#feed.close();
  }

  async #play(signal: AbortSignal): Promise<boolean> {
    const { options, partitions } = this.#parts;
    for (const name of WORKERS) this.#startWorker(name);
    const reading = new AbortController();
    const readingOrStop = AbortSignal.any([signal, reading.signal]);
    const read = this.#background(this.#reader.run(readingOrStop));
    void this.#background(this.#watch.run(signal));
    await this.#waitUntilShared(signal);
    void this.#background(this.#show(readingOrStop));
    await Promise.all([this.#input.send(options.seconds, signal), this.#killHalfWay(signal)]);
    this.#event('the hour is over; later records close the last windows');
    await this.#input.closeWindows(partitions, () => this.#results.complete || this.#isLate, signal);
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    reading.abort();
    await read;
    await this.#reader.readToEnd(signal);
    return this.#judge();
  }

  #startWorker(name: string): void {
    const worker = new WorkerProcess({ ...this.#parts.orders, name }, () => this.#fail(worker.failure));
    this.#workers.push(worker);
    this.#event(`${name} is process ${worker.pid}`);
  }

  async #waitUntilShared(signal: AbortSignal): Promise<void> {
    const isShared = (): boolean =>
      this.#workers.every(({ state }) => state === 'running') && this.#watch.partitions.every(({ owner }) => owner !== undefined);
    await this.#until(() => isShared() || this.#elapsedMs > SHARED_MAX_MS, signal);
    if (!isShared())
      throw new StartError('the workers have not shared the partitions within a minute: is this machine overloaded?');
    const shares = this.#workers.map(({ name }) => `${name} has ${partitionsText(this.#watch.partitionsOf(name))}`);
    this.#event(`${shares.join(', ')}; now an hour of orders, each to be paid within ten minutes`);
  }

  async #killHalfWay(signal: AbortSignal): Promise<void> {
    const { ordersInAll } = this.#input;
    await this.#until(() => this.#input.orders >= ordersInAll / 2, signal);
    const victim = this.#busiest();
    const orphans = this.#watch.partitionsOf(victim.name);
    const names = partitionsText(orphans);
    await victim.kill();
    const killedMs = this.#elapsedMs;
    this.#event(`${victim.name} killed with SIGKILL: nobody works on ${names} until Kafka misses it, in 6 s`);
    const isTaken = (): boolean => this.#watch.partitionsOf(victim.name).length === 0;
    await this.#until(() => isTaken() || this.#isLate, signal);
    const afterSeconds = ((this.#elapsedMs - killedMs) / 1000).toFixed(1);
    const survivors = this.#workers.filter((worker) => worker !== victim).map(({ name }) => name);
    if (isTaken()) this.#event(`take-over: ${survivors.join(', ')} has ${names} too, ${afterSeconds} s after the kill`);
    else this.#problems.push(`nobody took over ${names} within ${afterSeconds} s`);
  }

  /** The worker with the most partitions: the one that will be missed most. */
  #busiest(): WorkerProcess {
    const share = ({ name }: WorkerProcess): number => this.#watch.partitionsOf(name).length;
    return this.#workers.reduce((best, worker) => (share(worker) >= share(best) ? worker : best));
  }

  #judge(): boolean {
    const { display } = this.#parts;
    display.show(this.#standing());
    display.close();
    const problems = [...this.#problems, ...this.#results.problems()];
    for (const line of verdictLines(this.#input, this.#results, problems, display.palette)) display.event(line);
    return problems.length === 0;
  }

  // ---- what goes on meanwhile ------------------------------------------------------------------------------------------

  #outputs({ paidOrders, unpaidOrders, customerTotals }: Topics) {
    return [
      output(paidOrders, (order) => this.#results.addPaid(order) && this.#remember('paid', order)),
      output(unpaidOrders, (order) => this.#results.addUnpaid(order) && this.#remember('unpaid', order)),
      output(customerTotals, (total) => this.#results.addTotal(total)),
    ];
  }

  #remember(what: RecentResult['what'], order: Order): void {
    this.#recent.push({ what, order });
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
  }

  async #show(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#parts.display.show(this.#standing());
      await systemClock.sleep(SHOW_MS, signal);
    }
  }

  #standing(): Standing {
    const { orders, ordersInAll, payments } = this.#input;
    const { paidCount, unpaidCount } = this.#results;
    return {
      ...{ elapsedMs: this.#elapsedMs, orders, ordersInAll, payments, paid: paidCount, unpaid: unpaidCount },
      partitions: this.#watch.partitions,
      workers: this.#workers.map(({ name, pid, state, transactions }) => ({ name, pid, state, transactions })),
      recent: this.#recent,
    };
  }

  /** What fails in the background fails the run. */
  async #background(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof CancelledError)) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#ending.abort();
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) await systemClock.sleep(POLL_MS, signal);
  }

  #event(text: string): void {
    this.#parts.display.event(text, this.#elapsedMs);
  }

  get #elapsedMs(): number {
    return systemClock.monotonicMs() - this.#parts.startedMs;
  }

  get #isLate(): boolean {
    return this.#elapsedMs > RUN_MAX_MS;
  }
}

function partitionsText(partitions: readonly number[]): string {
  if (partitions.length === 0) return 'no input partition';
  return `partition${partitions.length === 1 ? '' : 's'} ${partitions.join(' ')}`;
}
