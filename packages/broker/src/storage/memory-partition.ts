import type { PartitionStorage, SegmentBytes } from '../log/segment-bytes.ts';
import { MemorySegment } from './memory-segment.ts';

/** A partition that lives as long as the process. */
export class MemoryPartition implements PartitionStorage {
  existingSegments(): readonly { readonly baseOffset: number; readonly bytes: SegmentBytes }[] {
    return [];
  }

  createSegment(): SegmentBytes {
    return new MemorySegment();
  }

  saveLogStart(): void {
    // The log itself remembers it as long as the process lives.
  }

  savedLogStart(): number {
    return 0;
  }

  saveCleanPoint(): void {
    // As the log start.
  }

  savedCleanPoint(): number {
    return 0;
  }

  delete(): void {
    // The segments are deleted one by one.
  }
}
