import type { RecordBatchHeader } from '@millrace/wire';
import type { LogSettings } from './log-settings.ts';
import type { PartitionStorage } from './segment-bytes.ts';
import { Segment } from './segment.ts';

/** The segments of a log, oldest first. The last one is active: it alone is appended to. */
export class SegmentList {
  readonly #storage: PartitionStorage;
  #segments: Segment[];

  constructor(storage: PartitionStorage) {
    this.#storage = storage;
    this.#segments = storage.existingSegments().map(({ baseOffset, bytes }) => new Segment(baseOffset, bytes));
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }

  get active(): Segment {
    return this.#segments.at(-1) as Segment;
  }

  get sizeInBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeInBytes, 0);
  }

  /** Begins a new active segment. */
  roll(baseOffset: number): void {
    const last = this.#segments.at(-1);
    if (last?.isEmpty === true && last.baseOffset === baseOffset) return;
    last?.bytes.flush();
    this.#segments.push(new Segment(baseOffset, this.#storage.createSegment(baseOffset)));
  }

  /** Begins a new active segment when the batch no longer fits, or the segment spans more time than it may. */
  rollBefore(header: RecordBatchHeader, settings: LogSettings, logEndOffset: number): void {
    const { active } = this;
    if (active.isEmpty) return;
    const isFull = active.sizeInBytes + header.sizeInBytes > settings.segmentBytes;
    const segmentMs = settings.compact ? Math.min(settings.segmentMs, settings.maxCompactionLagMs) : settings.segmentMs;
    const isOld = header.maxTimestamp - active.firstTimestamp > segmentMs;
    if (isFull || isOld) this.roll(logEndOffset);
  }

  /** Index of the segment that holds the offset: the last one that starts at it or below; 0 when all start above. */
  indexOf(offset: number): number {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#segments[middle] as Segment).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Deletes the segments all of whose offsets lie below. Never the active one. */
  dropBelow(offset: number): void {
    while (this.#segments.length > 1 && (this.#segments[1] as Segment).baseOffset <= offset) {
      this.#segments.shift()?.bytes.delete();
    }
  }

  /** Deletes the segments in which compaction has left nothing. Never the active one. */
  dropEmpty(): void {
    const { active } = this;
    const empty = this.#segments.filter((segment) => segment.isEmpty && segment !== active);
    for (const { bytes } of empty) bytes.delete();
    this.#segments = this.#segments.filter((segment) => !empty.includes(segment));
  }

  deleteAll(): void {
    for (const segment of this.#segments) segment.bytes.delete();
    this.#segments = [];
  }
}
