import { CleaningRound } from './clean-segment.ts';
import { LatestOffsets } from './latest-offsets.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Segment } from './segment.ts';

/** What may be cleaned, and how much of it is new since the last time. */
interface Cleanable {
  readonly segments: readonly Segment[];
  readonly dirty: readonly Segment[];
  readonly endOffset: number;
}

/**
 * Compacts the log if its topic asks for it and enough of it is new.
 *
 * Never touched: the active segment, what is too young, and everything from the last stable offset on, because a transaction
 * that is still open may be aborted. The log start stays where it is, and no offset changes.
 *
 * Source: Kafka `LogCleaner`, `LogCleanerManager`.
 *
 * @param force clean even if little is new
 * @returns true when the log was cleaned
 */
export function cleanLog(log: PartitionLog, nowMs: number, force = false): boolean {
  if (!log.settings.compact) return false;
  const cleanable = cleanableOf(log, nowMs);
  if (cleanable.segments.length === 0 || !(force || isWorthwhile(log, cleanable, nowMs))) return false;
  const latest = new LatestOffsets();
  // All of it, and not only the new part: the map lives for one round only.
  for (const segment of cleanable.segments) latest.add(log, segment);
  const round = new CleaningRound(log, latest, cleanable.endOffset, nowMs);
  for (const segment of cleanable.segments) round.clean(segment);
  log.segments.dropEmpty();
  log.advanceCleanPoint(cleanable.endOffset);
  return true;
}

function cleanableOf(log: PartitionLog, nowMs: number): Cleanable {
  const { all } = log.segments;
  const { minCompactionLagMs } = log.settings;
  const bound = log.lastStableOffset;
  const segments: Segment[] = [];
  let endOffset = log.logStartOffset;
  for (const [index, segment] of all.entries()) {
    const next = all[index + 1];
    const isYoung = minCompactionLagMs > 0 && nowMs - segment.maxTimestamp < minCompactionLagMs;
    if (next === undefined || next.baseOffset > bound || isYoung) break;
    segments.push(segment);
    endOffset = next.baseOffset;
  }
  const dirty = segments.filter(({ baseOffset }) => baseOffset >= log.cleanPoint);
  return { segments, dirty, endOffset };
}

function isWorthwhile(log: PartitionLog, { segments, dirty }: Cleanable, nowMs: number): boolean {
  const { minCleanableDirtyRatio, maxCompactionLagMs } = log.settings;
  if (dirty.some(({ firstTimestamp }) => firstTimestamp >= 0 && nowMs - firstTimestamp > maxCompactionLagMs)) return true;
  const dirtyBytes = bytesOf(dirty);
  return dirtyBytes > 0 && dirtyBytes / bytesOf(segments) > minCleanableDirtyRatio;
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0);
}
