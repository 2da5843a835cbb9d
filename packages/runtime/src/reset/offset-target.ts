/**
 * Where the committed offsets of the inputs are set to.
 *
 * - `earliest`, `latest`: the ends of each partition
 * - `offset`: this one in every partition
 * - `time`: the first record with this timestamp or a later one, ms since 1970; the end where there is none
 * - `shift`: so many records on from what is committed, back when negative
 *
 * What lies outside of a partition becomes the nearer end of it. Source: Kafka `StreamsResetter`.
 */
export type OffsetTarget =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly atMs: number }
  | { readonly kind: 'shift'; readonly by: number };

/** What is known of one partition of an input. */
export interface InputFacts {
  readonly topic: string;
  readonly partition: number;
  readonly earliest: number;
  readonly latest: number;
  /** Absent when the group has committed none. */
  readonly committed: number | undefined;
  /** For a target in time: −1 when no record is that young. */
  readonly atTime: number | undefined;
}

/** The offset that the target means here; `undefined` when it is a shift of nothing. */
export function targetOffset(target: OffsetTarget, facts: InputFacts): number | undefined {
  const wanted = wantedOffset(target, facts);
  return wanted === undefined ? undefined : Math.min(Math.max(wanted, facts.earliest), facts.latest);
}

function wantedOffset(target: OffsetTarget, { earliest, latest, committed, atTime }: InputFacts): number | undefined {
  switch (target.kind) {
    case 'earliest':
      return earliest;
    case 'latest':
      return latest;
    case 'offset':
      return target.offset;
    case 'time':
      return atTime === undefined || atTime < 0 ? latest : atTime;
    case 'shift':
      return committed === undefined ? undefined : committed + target.by;
  }
}
