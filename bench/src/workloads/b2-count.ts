import { json, StreamsBuilder, string, topic, type Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';
import type { Event } from './events.ts';

/** Count per key of parsed JSON: b2a (few keys), b2c (many, uniform), b2d (many, skewed), b7 (live, for latency). */
export function b2Count({ workload, output }: WorkloadOptions): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic(`${workload}-in`, { key: string(), value: json<Event>({ immutable: true }) }))
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .mapValues((count) => String(count))
    .to(topic(output, { key: string(), value: string() }));
  return builder.build();
}
