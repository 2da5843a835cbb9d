import { json, SessionWindows, StreamsBuilder, string, topic, type Topology } from 'millrace';
import type { WorkloadOptions } from '../options.ts';
import type { Event } from './events.ts';

interface Activity {
  readonly count: number;
  /** The highest `seq` of the session. */
  readonly last: number;
}

const NOTHING: Activity = { count: 0, last: -1 };

/**
 * Sessions of each key: how many events, and the last of them. Keys of `b2a-in` come every 10 s on average, which is also the
 * gap: two events out of three go on with a session, whose old bounds are deleted.
 */
export function b3s({ output }: WorkloadOptions): Topology {
  const activity = json<Activity>({ immutable: true });
  const builder = new StreamsBuilder();
  builder
    .stream(topic('b2a-in', { key: string(), value: json<Event>({ immutable: true }) }))
    .groupByKey()
    .windowedBy(SessionWindows.ofInactivityGapAndGrace('10 seconds', '10 seconds'))
    .aggregate(
      () => NOTHING,
      ({ count, last }, { seq }): Activity => ({ count: count + 1, last: Math.max(last, seq) }),
      (left, right): Activity => ({ count: left.count + right.count, last: Math.max(left.last, right.last) }),
      { store: 'sessions', value: activity },
    )
    .toStream()
    .selectKey((_activity, { key, window }) => `${key}@${window.start}-${window.end}`)
    .to(topic(output, { key: string(), value: activity }));
  return builder.build();
}
