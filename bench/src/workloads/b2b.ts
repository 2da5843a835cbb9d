import { bytes, int64, StreamsBuilder, topic, type Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';

/** Count per key of raw bytes: nothing is parsed. */
export function b2b({ output }: WorkloadOptions): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic('b2b-in', { key: bytes(), value: bytes() }))
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to(topic(output, { key: bytes(), value: int64() }));
  return builder.build();
}
