import { json, StreamsBuilder, string, topic, type Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';
import type { Reading } from './events.ts';

interface Mapped {
  readonly id: string;
  readonly ts: number;
  readonly seq: number;
  readonly mW: number;
}

/** Filter and map, no state. */
export function b1({ output }: WorkloadOptions): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic('b1-in', { key: string(), value: json<Reading>({ immutable: true }) }))
    .filter((reading) => reading.valueInW >= 1000)
    .mapValues(({ id, ts, seq, valueInW }): Mapped => ({ id, ts, seq, mW: valueInW * 1000 }))
    .to(topic(output, { key: string(), value: json<Mapped>({ immutable: true }) }));
  return builder.build();
}
