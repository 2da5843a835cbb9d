import type { Clock } from '@millrace/core';
import { closingArrivals } from './closing.ts';
import type { Feed } from './feed.ts';
import { lastTimestamp, type Arrival } from './generator.ts';

const STEPS_PER_SECOND = 10;
const CLOSING_PAUSE_MS = 300;

/** The generated orders and payments on their way into Kafka, an hour of event time within seconds. */
export class Input {
  orders = 0;
  payments = 0;
  readonly ordersInAll: number;
  readonly #arrivals: readonly Arrival[];
  readonly #feed: Feed;
  readonly #clock: Clock;

  constructor(arrivals: readonly Arrival[], feed: Feed, clock: Clock) {
    this.#arrivals = arrivals;
    this.#feed = feed;
    this.#clock = clock;
    this.ordersInAll = arrivals.filter(({ kind }) => kind === 'order').length;
  }

  /** Time goes by in small steps, and both topics go along: neither side of the join may run far ahead of the other. */
  async send(seconds: number, signal: AbortSignal): Promise<void> {
    const arrivals = this.#arrivals;
    const steps = seconds * STEPS_PER_SECOND;
    const orders = arrivals.filter(({ kind }) => kind === 'order');
    const firstMs = orders[0]?.timestamp ?? 0;
    const stepMs = (lastTimestamp(orders) - firstMs) / steps;
    const startedMs = this.#clock.monotonicMs();
    let sent = 0;
    for (let step = 1; step <= steps; step++) {
      const next = arrivals.findIndex(({ timestamp }, index) => index >= sent && timestamp > firstMs + step * stepMs);
      const end = next < 0 ? arrivals.length : next;
      await this.#send(arrivals.slice(sent, end));
      sent = end;
      await this.#clock.sleep(startedMs + (step * 1000) / STEPS_PER_SECOND - this.#clock.monotonicMs(), signal);
    }
    // After the last order only late payments are left: with one side silent, the other would wait for it.
    await this.#send(arrivals.slice(sent));
  }

  /** Moves event time on in every partition until the last windows have closed and their results have come. */
  async closeWindows(partitions: number, isEnough: () => boolean, signal: AbortSignal): Promise<void> {
    const last = lastTimestamp(this.#arrivals);
    for (let round = 0; !isEnough(); round++) {
      for (let partition = 0; partition < partitions; partition++) {
        await this.#feed.send(closingArrivals(last, partition, round), partition);
      }
      await this.#clock.sleep(CLOSING_PAUSE_MS, signal);
    }
  }

  async #send(arrivals: readonly Arrival[]): Promise<void> {
    await this.#feed.send(arrivals);
    for (const { kind } of arrivals) {
      if (kind === 'order') this.orders++;
      else this.payments++;
    }
  }
}
