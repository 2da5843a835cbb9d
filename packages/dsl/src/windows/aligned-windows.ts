/**
 * Windows whose starts are known before any record: aligned to a time, `advanceMs` apart, each `[start, start + sizeMs)`.
 *
 * The windows of a record with timestamp `t` have the starts `firstStart(t)`, `firstStart(t) + advanceMs`, … up to `t`. They
 * are enumerated by number, so that assigning a record to its windows allocates nothing.
 */
export interface AlignedWindows {
  readonly kind: string;
  readonly sizeMs: number;
  readonly advanceMs: number;
  /** How long after its end a window still accepts records, in stream time. */
  readonly graceMs: number;
  /** Start of the earliest window that holds the timestamp. */
  firstStart(timestamp: number): number;
}
