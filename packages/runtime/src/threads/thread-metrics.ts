import type { Counter, Gauge, Histogram, MetricLabels, Metrics } from '@millrace/core';

/** Observations of one histogram between two messages; of more, the later ones are left out. */
const OBSERVATIONS_MAX = 1000;

/** What happened to one time series since the last message. */
export interface MetricUpdate {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: MetricLabels;
  /** Counter: the increase. Gauge: the value. Histogram: each observation. */
  readonly values: readonly number[];
}

interface Series extends Omit<MetricUpdate, 'values'> {
  readonly values: number[];
}

class Relayed implements Counter, Gauge, Histogram {
  readonly #series: Series;

  constructor(series: Series) {
    this.#series = series;
  }

  add(amount: number): void {
    this.#series.values[0] = (this.#series.values[0] ?? 0) + amount;
  }

  set(value: number): void {
    this.#series.values[0] = value;
  }

  observe(value: number): void {
    if (this.#series.values.length < OBSERVATIONS_MAX) this.#series.values.push(value);
  }
}

/** The metrics of a thread: kept until they are handed to the main thread. */
export class ThreadMetrics implements Metrics {
  readonly #series = new Map<string, { readonly series: Series; readonly instrument: Relayed }>();

  counter(name: string, help: string, labels: MetricLabels = {}): Counter {
    const instrument = this.#instrument('counter', name, help, labels);
    // A counter is there from the moment that it is made, at 0.
    instrument.add(0);
    return instrument;
  }

  gauge(name: string, help: string, labels: MetricLabels = {}): Gauge {
    return this.#instrument('gauge', name, help, labels);
  }

  histogram(name: string, help: string, labels: MetricLabels = {}): Histogram {
    return this.#instrument('histogram', name, help, labels);
  }

  /** What has changed since it was last called. */
  takeUpdates(): MetricUpdate[] {
    const updates: MetricUpdate[] = [];
    for (const { series } of this.#series.values()) {
      if (series.values.length > 0) updates.push({ ...series, values: series.values.splice(0) });
    }
    return updates;
  }

  #instrument(kind: Series['kind'], name: string, help: string, labels: MetricLabels): Relayed {
    const id = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
    let found = this.#series.get(id);
    if (found === undefined) {
      const series: Series = { kind, name, help, labels, values: [] };
      found = { series, instrument: new Relayed(series) };
      this.#series.set(id, found);
    }
    return found.instrument;
  }
}

/**
 * Adds what a thread has counted to the metrics of the process: counters add up over the threads; gauges and histograms get the
 * label `thread`, but not those of a task, which one thread has at a time.
 */
export function mergeMetrics(metrics: Metrics, thread: number, updates: readonly MetricUpdate[]): void {
  for (const { kind, name, help, labels, values } of updates) {
    const own = labels.task === undefined ? { ...labels, thread: String(thread) } : labels;
    if (kind === 'counter') metrics.counter(name, help, labels).add(values[0] ?? 0);
    else if (kind === 'gauge') metrics.gauge(name, help, own).set(values[0] ?? 0);
    else for (const value of values) metrics.histogram(name, help, own).observe(value);
  }
}
