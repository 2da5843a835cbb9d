import type { WriteBatch, WriteBatchVisitor } from '@millrace/state';
import { type CompactionOptions, DeadRanges, type KeyRange } from './dead-ranges.ts';
import type { Level, LevelBatch } from './level-store.ts';
import { OWNER_ROW, RowCodec } from './row-codec.ts';

/** Applies write batches to LevelDB. */
export class BatchWriter {
  readonly #level: Level;
  readonly #rows = new RowCodec();
  readonly #dead: DeadRanges;

  constructor(level: Level, options: CompactionOptions) {
    this.#level = level;
    this.#dead = new DeadRanges(level, options);
  }

  /** Resolves when nothing runs in the background any more. */
  settled(): Promise<void> {
    return this.#dead.settled();
  }

  /**
   * Writes the batch and a row of the engine's own as one LevelDB batch.
   *
   * Range deletes follow it as native clears, so that a dead segment of a million rows costs no operation per row. If the
   * process dies between the two, the rows are still there: owners delete only ranges that they no longer read, and
   * repeat it. A batch that also writes into a range it deletes is expanded to single deletes, and is atomic as a whole.
   */
  async write(batch: WriteBatch, ownKey: Buffer, ownValue: Buffer): Promise<void> {
    const ranges = batch.rangeDeletes === 0 ? [] : this.#rangesOf(batch);
    const mustExpand = ranges.length > 0 && this.#writesInto(batch, ranges);
    const doomed = mustExpand ? await this.#keysIn(ranges) : undefined;
    const target = this.#level.batch();
    batch.visit(new OperationCopier(target, this.#rows, doomed));
    target.put(ownKey, ownValue);
    await target.write();
    if (mustExpand) return;
    for (const range of ranges) {
      await this.#level.clear(range);
      await this.#dead.add(range);
    }
  }

  #rangesOf(batch: WriteBatch): readonly KeyRange[] {
    const ranges: KeyRange[] = [];
    batch.visit({
      put: () => undefined,
      delete: () => undefined,
      deleteRange: (bytes, startStart, startEnd, endStart, endEnd) =>
        ranges.push(storedRange(bytes, startStart, startEnd, endStart, endEnd)),
    });
    return ranges;
  }

  #writesInto(batch: WriteBatch, ranges: readonly KeyRange[]): boolean {
    let found = false;
    batch.visit({
      put: (bytes, keyStart, keyEnd) => {
        this.#rows.setKey(bytes, keyStart, keyEnd);
        found ||= ranges.some((range) => isIn(this.#rows.key, range));
      },
      delete: () => undefined,
      deleteRange: () => undefined,
    });
    return found;
  }

  async #keysIn(ranges: readonly KeyRange[]): Promise<readonly Buffer[]> {
    const keys: Buffer[] = [];
    for (const range of ranges) for await (const key of this.#level.keys(range)) keys.push(key);
    return keys;
  }
}

/** Copies operations into a LevelDB batch, which copies the bytes in turn. */
class OperationCopier implements WriteBatchVisitor {
  readonly #target: LevelBatch;
  readonly #rows: RowCodec;
  /** Keys that the range deletes of the batch meet; absent when range deletes are left to others. */
  readonly #doomed: readonly Buffer[] | undefined;
  readonly #put: Buffer[] = [];

  constructor(target: LevelBatch, rows: RowCodec, doomed: readonly Buffer[] | undefined) {
    this.#target = target;
    this.#rows = rows;
    this.#doomed = doomed;
  }

  put(bytes: Buffer, keyStart: number, keyEnd: number, _valueStart: number, valueEnd: number): void {
    this.#rows.setRow(bytes, keyStart, keyEnd, valueEnd);
    this.#target.put(this.#rows.key, this.#rows.value);
    if (this.#doomed !== undefined) this.#put.push(Buffer.from(this.#rows.key));
  }

  delete(bytes: Buffer, keyStart: number, keyEnd: number): void {
    this.#rows.setKey(bytes, keyStart, keyEnd);
    this.#target.del(this.#rows.key);
  }

  deleteRange(bytes: Buffer, startStart: number, startEnd: number, endStart: number, endEnd: number): void {
    if (this.#doomed === undefined) return;
    const range = storedRange(bytes, startStart, startEnd, endStart, endEnd);
    for (const key of [...this.#doomed, ...this.#put]) if (isIn(key, range)) this.#target.del(key);
  }
}

function storedRange(bytes: Buffer, startStart: number, startEnd: number, endStart: number, endEnd: number): KeyRange {
  return { gte: storedKey(bytes, startStart, startEnd), lt: storedKey(bytes, endStart, endEnd) };
}

function storedKey(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.concat([Buffer.from([OWNER_ROW]), bytes.subarray(start, end)]);
}

function isIn(key: Buffer, { gte, lt }: KeyRange): boolean {
  return key.compare(gte) >= 0 && key.compare(lt) < 0;
}
