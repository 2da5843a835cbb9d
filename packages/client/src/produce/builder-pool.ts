import { RecordBatchBuilder } from '@millrace/wire';

/** After so many times as many batches as are kept at most, the pool looks what it could have done without. */
const REVIEW_AFTER_ROUNDS = 8;
/** The part of the builders that nobody needed which goes at once: a backlog that comes again soon finds the others. */
const UNNEEDED_SHARE = 0.5;
/** A builder may be so many times as large as the largest batch: its buffer doubles when it is full. */
const SPARE_FACTOR = 2;

export interface BuilderPoolOptions {
  /** What a new builder reserves; it grows to what its batches need. */
  readonly initialBytes: number;
  /** Of a batch, unless it is one large record: a builder that has grown for such a one is not kept. */
  readonly batchBytes: number;
  /** Builders kept for reuse at most. */
  readonly keptMax: number;
}

/**
 * Recycles batch builders with their buffers, so that steady production allocates none. What a backlog made it keep goes again: of the
 * builders that no batch needed lately half each time, and all that are far larger than any batch lately.
 */
export class BuilderPool {
  readonly #options: BuilderPoolOptions;
  /** The one given back last is taken first, so the ones in front are those that nobody needs. */
  #free: RecordBatchBuilder[] = [];
  readonly #reviewAfter: number;
  #givenBack = 0;
  /** Fewest that were free at any time since the last review. */
  #fewestFree = 0;
  /** Of the largest batch since the last review. */
  #largestBytes = 0;

  constructor(options: BuilderPoolOptions) {
    this.#options = options;
    this.#reviewAfter = REVIEW_AFTER_ROUNDS * options.keptMax;
  }

  /** Bytes reserved by the builders that wait to be taken. */
  get keptBytes(): number {
    let bytes = 0;
    for (const builder of this.#free) bytes += builder.capacity;
    return bytes;
  }

  take(): RecordBatchBuilder {
    const builder = this.#free.pop() ?? new RecordBatchBuilder(this.#options.initialBytes);
    if (this.#free.length < this.#fewestFree) this.#fewestFree = this.#free.length;
    return builder;
  }

  /** Only when the network is done with its bytes. */
  giveBack(builder: RecordBatchBuilder): void {
    const { keptMax, batchBytes } = this.#options;
    if (builder.sizeInBytes > this.#largestBytes) this.#largestBytes = builder.sizeInBytes;
    if (this.#free.length < keptMax && this.#fits(builder, batchBytes)) {
      builder.reset();
      this.#free.push(builder);
    }
    if (++this.#givenBack >= this.#reviewAfter) this.#review();
  }

  /** False for a builder that is far too large for batches of so many bytes. */
  #fits({ capacity }: RecordBatchBuilder, batchBytes: number): boolean {
    return capacity <= Math.max(this.#options.initialBytes, SPARE_FACTOR * batchBytes);
  }

  #review(): void {
    const needed = this.#free.slice(Math.ceil(this.#fewestFree * UNNEEDED_SHARE));
    this.#free = needed.filter((builder) => this.#fits(builder, this.#largestBytes));
    this.#givenBack = 0;
    this.#fewestFree = this.#free.length;
    this.#largestBytes = 0;
  }
}
