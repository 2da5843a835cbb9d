import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FatalStreamsError } from '@millrace/core';
import type { PartitionStorage, SegmentBytes } from '../log/segment-bytes.ts';
import { CLEANED_SUFFIX, FileSegment, type FlushPolicy } from './file-segment.ts';
import { soundBytes } from './segment-check.ts';

const SEGMENT_NAME = /^(\d{20})\.log$/;

/** What a partition has to remember besides its bytes. */
export interface PartitionMemory {
  readonly logStart: number;
  readonly cleanPoint: number;
  saveLogStart(offset: number): void;
  saveCleanPoint(offset: number): void;
}

/**
 * A partition in a directory: a file per segment, named by its base offset, nothing but record batches inside. No index files:
 * a gigabyte is scanned in about a second at the start.
 */
export class DirectoryPartition implements PartitionStorage {
  readonly #directory: string;
  readonly #memory: PartitionMemory;
  readonly #policy: FlushPolicy;

  constructor(directory: string, memory: PartitionMemory, policy: FlushPolicy) {
    this.#directory = directory;
    this.#memory = memory;
    this.#policy = policy;
    mkdirSync(directory, { recursive: true });
  }

  /**
   * Checks every byte. What an interrupted write has left at the end of the last segment is cut off; damage anywhere else is
   * not ours to repair.
   *
   * @throws FatalStreamsError CORRUPT_SEGMENT
   */
  existingSegments(): readonly { readonly baseOffset: number; readonly bytes: SegmentBytes }[] {
    const names = readdirSync(this.#directory).sort();
    for (const name of names) {
      if (name.endsWith(CLEANED_SUFFIX)) rmSync(join(this.#directory, name));
    }
    const segmentNames = names.filter((name) => SEGMENT_NAME.test(name));
    return segmentNames.map((name, index) => this.#openSegment(name, index === segmentNames.length - 1));
  }

  createSegment(baseOffset: number): SegmentBytes {
    return new FileSegment(join(this.#directory, `${String(baseOffset).padStart(20, '0')}.log`), 0, this.#policy);
  }

  saveLogStart(offset: number): void {
    this.#memory.saveLogStart(offset);
  }

  savedLogStart(): number {
    return this.#memory.logStart;
  }

  saveCleanPoint(offset: number): void {
    this.#memory.saveCleanPoint(offset);
  }

  savedCleanPoint(): number {
    return this.#memory.cleanPoint;
  }

  delete(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #openSegment(name: string, isLast: boolean): { readonly baseOffset: number; readonly bytes: SegmentBytes } {
    const path = join(this.#directory, name);
    const baseOffset = Number(SEGMENT_NAME.exec(name)?.[1]);
    const bytes = new FileSegment(path, statSync(path).size, this.#policy);
    const sound = soundBytes(bytes, baseOffset);
    if (sound < bytes.sizeInBytes) {
      if (!isLast) throw corrupt(path, sound);
      bytes.truncate(sound);
    }
    return { baseOffset, bytes };
  }
}

function corrupt(path: string, position: number): FatalStreamsError {
  return new FatalStreamsError(
    'CORRUPT_SEGMENT',
    `${path} is damaged at byte ${position}, and it is not the end of the log, where an interrupted write could explain it: ` +
      'restore the directory from a copy, or delete the directory of the partition and lose its records',
  );
}
