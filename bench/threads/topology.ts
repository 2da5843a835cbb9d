import { string, topic } from '@millrace/core';
import { StreamsBuilder, type Topology } from 'millrace';
import { hashed } from './hashed.ts';

/** Where the main thread leaves what its threads need to know. */
export const BENCH_VARIABLE = 'THREADS_BENCH';

export interface ThreadsBench {
  readonly input: string;
  readonly output: string;
  /** How often each value is hashed: the work of user code. */
  readonly rounds: number;
}

/** User code that computes: every value is hashed over and over, one in a hundred results is written. */
export function buildTopology(): Topology {
  const { input, output, rounds } = JSON.parse(process.env[BENCH_VARIABLE] ?? '') as ThreadsBench;
  const text = { key: string(), value: string() };
  const builder = new StreamsBuilder();
  builder
    .stream(topic(input, text))
    .mapValues((value) => hashed(value, rounds))
    .filter((_value, key) => key.endsWith('00'))
    .to(topic(output, text));
  return builder.build();
}
