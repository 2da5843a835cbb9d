import type { PartitionStorage, SegmentBytes } from '../log/segment-bytes.ts';
import { MemorySegment } from './memory-segment.ts';

/** A partition that lives as long as its {@link MemoryDisk}. */
export class MemoryPartition implements PartitionStorage {
  readonly #segments = new Map<number, MemorySegment>();
  readonly #flushesAppends: boolean;
  readonly #forget: () => void;
  #logStart = 0;
  #cleanPoint = 0;

  constructor(flushesAppends: boolean, forget: () => void) {
    this.#flushesAppends = flushesAppends;
    this.#forget = forget;
  }

  flush(): void {
    for (const segment of this.#segments.values()) segment.flush();
  }

  loseUnflushed(): void {
    for (const segment of this.#segments.values()) segment.loseUnflushed();
  }

  existingSegments(): readonly { readonly baseOffset: number; readonly bytes: SegmentBytes }[] {
    const inOrder = [...this.#segments].sort(([a], [b]) => a - b);
    return inOrder.map(([baseOffset, bytes]) => ({ baseOffset, bytes }));
  }

  createSegment(baseOffset: number): SegmentBytes {
    const segment = new MemorySegment(this.#flushesAppends, () => void this.#segments.delete(baseOffset));
    this.#segments.set(baseOffset, segment);
    return segment;
  }

  saveLogStart(offset: number): void {
    this.#logStart = offset;
  }

  savedLogStart(): number {
    return this.#logStart;
  }

  saveCleanPoint(offset: number): void {
    this.#cleanPoint = offset;
  }

  savedCleanPoint(): number {
    return this.#cleanPoint;
  }

  delete(): void {
    this.#forget();
  }
}
