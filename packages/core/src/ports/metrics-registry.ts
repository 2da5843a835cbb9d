import type { Counter, Gauge, Histogram, MetricLabels, Metrics } from './metrics.ts';

/** One time series as it stands. */
export interface MetricSample {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: MetricLabels;
  /** Counter and gauge: the value. Histogram: the sum of the observations. */
  readonly value: number;
  /** Histogram: how many observations; otherwise 0. */
  readonly count: number;
  /** Histogram: the highest observation; otherwise 0. */
  readonly max: number;
}

class Instrument implements Counter, Gauge, Histogram {
  value = 0;
  count = 0;
  max = 0;
  add(amount: number): void {
    this.value += amount;
  }
  set(value: number): void {
    this.value = value;
  }
  observe(value: number): void {
    this.value += value;
    this.count++;
    if (value > this.max) this.max = value;
  }
}

interface Series {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricSample['kind'];
  readonly labels: MetricLabels;
  readonly instrument: Instrument;
}

/** Metrics kept in memory and read by `samples()`: the default, and what tests and the terminal view look into. */
export class MetricsRegistry implements Metrics {
  readonly #series = new Map<string, Series>();

  counter(name: string, help: string, labels: MetricLabels = {}): Counter {
    return this.#instrument('counter', name, help, labels);
  }

  gauge(name: string, help: string, labels: MetricLabels = {}): Gauge {
    return this.#instrument('gauge', name, help, labels);
  }

  histogram(name: string, help: string, labels: MetricLabels = {}): Histogram {
    return this.#instrument('histogram', name, help, labels);
  }

  /** Every time series, in the order of creation. */
  samples(): MetricSample[] {
    return [...this.#series.values()].map(({ instrument, ...series }) => ({
      ...series,
      value: instrument.value,
      count: instrument.count,
      max: instrument.max,
    }));
  }

  /** The sum of `value` over all series of that name. */
  total(name: string): number {
    let sum = 0;
    for (const series of this.#series.values()) if (series.name === name) sum += series.instrument.value;
    return sum;
  }

  #instrument(kind: MetricSample['kind'], name: string, help: string, labels: MetricLabels): Instrument {
    const id = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
    let series = this.#series.get(id);
    if (series === undefined) {
      series = { name, help, kind, labels, instrument: new Instrument() };
      this.#series.set(id, series);
    }
    return series.instrument;
  }
}
