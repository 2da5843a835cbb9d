/**
 * Where the bytes of one segment are kept: record batches, one behind the other, nothing else.
 *
 * Everything is synchronous: what {@link append} was given survives the death of the process as soon as it returns, where the
 * storage is durable at all.
 */
export interface SegmentBytes {
  readonly sizeInBytes: number;
  /** Copies the bytes of whole batches to the end. */
  append(batches: Buffer): void;
  /** The bytes `[position, position + length)`, which must exist. Stays valid whatever happens to the segment. */
  read(position: number, length: number): Buffer;
  /** Puts other content in the place of all bytes, all or nothing. */
  replace(content: Buffer): void;
  /** Cuts the segment off after `length` bytes. */
  truncate(length: number): void;
  /** Makes the bytes survive a power failure too. */
  flush(): void;
  /** Frees what the process holds; the bytes stay. */
  close(): void;
  /** Forgets the bytes. */
  delete(): void;
}

/** The segments of one partition. */
export interface PartitionStorage {
  /** What was there at the start, by base offset ascending. */
  existingSegments(): readonly { readonly baseOffset: number; readonly bytes: SegmentBytes }[];
  createSegment(baseOffset: number): SegmentBytes;
  /** Remembers the log start offset, which no segment tells. */
  saveLogStart(offset: number): void;
  savedLogStart(): number;
  /** How far compaction has come: the offset below which the log is clean. */
  saveCleanPoint(offset: number): void;
  savedCleanPoint(): number;
  /** Forgets the partition. */
  delete(): void;
}
