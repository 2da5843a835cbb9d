import { json, StreamsBuilder, string, TimeWindows, topic, type Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';
import type { Reading } from './events.ts';

interface Stats {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Sum of squared differences from the mean. */
  readonly m2: number;
}

const NOTHING: Stats = { count: 0, sum: 0, min: 0, max: 0, mean: 0, m2: 0 };

/** Statistics per sensor and minute (Welford), tumbling windows without grace. */
export function b3(options: WorkloadOptions): Topology {
  return statistics(options, TimeWindows.ofSizeWithNoGrace('1 minute'));
}

/** The same in hopping windows: a minute, every 20 s, so that each reading is in three of them. */
export function b3h(options: WorkloadOptions): Topology {
  return statistics(options, TimeWindows.ofSizeWithNoGrace('1 minute').advanceBy('20 seconds'));
}

function statistics({ output }: WorkloadOptions, windows: TimeWindows): Topology {
  const stats = json<Stats>({ immutable: true });
  const builder = new StreamsBuilder();
  builder
    .stream(topic('b3-in', { key: string(), value: json<Reading>({ immutable: true }) }))
    .groupByKey()
    .windowedBy(windows)
    .aggregate(
      () => NOTHING,
      (before, reading) => add(before, reading.valueInW),
      { store: 'stats', value: stats },
    )
    .toStream()
    .selectKey((_stats, { key, window }) => `${key}@${window.start}`)
    .to(topic(output, { key: string(), value: stats }));
  return builder.build();
}

function add({ count, sum, min, max, mean, m2 }: Stats, value: number): Stats {
  const delta = value - mean;
  const newMean = mean + delta / (count + 1);
  return {
    count: count + 1,
    sum: sum + value,
    min: count === 0 ? value : Math.min(min, value),
    max: count === 0 ? value : Math.max(max, value),
    mean: newMean,
    m2: m2 + delta * (value - newMean),
  };
}
