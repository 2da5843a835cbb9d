/** Names and values that tell one time series of a metric from another. */
export type MetricLabels = Readonly<{ [label: string]: string }>;

/** A number that only grows. `add` is called on the record path: it allocates nothing. */
export interface Counter {
  add(amount: number): void;
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number): void;
}

/** A distribution of values (latencies in ms, sizes in bytes). */
export interface Histogram {
  observe(value: number): void;
}

/**
 * Where figures go. Instruments are made once, when a task or a client starts, and then only updated.
 *
 * Asking twice for the same name and labels gives the same instrument.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: MetricLabels): Counter;
  gauge(name: string, help: string, labels?: MetricLabels): Gauge;
  histogram(name: string, help: string, labels?: MetricLabels): Histogram;
}
