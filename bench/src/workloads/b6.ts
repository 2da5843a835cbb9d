import { JoinWindows, json, StreamsBuilder, string, topic, type Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';
import type { Event } from './events.ts';

interface Pair {
  readonly l: number;
  readonly r: number | null;
}

/** Left join of two streams within ± 10 s, no grace. */
export function b6({ output }: WorkloadOptions): Topology {
  const event = json<Event>({ immutable: true });
  const builder = new StreamsBuilder();
  const left = builder.stream(topic('b6-left', { key: string(), value: event }));
  const right = builder.stream(topic('b6-right', { key: string(), value: event }));
  left
    .leftJoin(right, (l, r): Pair => ({ l: l.seq, r: r === undefined ? null : r.seq }), {
      within: JoinWindows.ofTimeDifferenceWithNoGrace('10 seconds'),
    })
    .to(topic(output, { key: string(), value: json<Pair>({ immutable: true }) }));
  return builder.build();
}
