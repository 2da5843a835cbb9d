import { RecordBatchBuilder } from '@millrace/wire';

/** Recycles batch builders with their buffers, so that steady production allocates none. */
export class BuilderPool {
  readonly #free: RecordBatchBuilder[] = [];
  readonly #initialBytes: number;
  readonly #keptMax: number;

  /**
   * @param initialBytes what a new builder reserves; it grows to what its batches need
   * @param keptMax builders kept for reuse
   */
  constructor(initialBytes: number, keptMax: number) {
    this.#initialBytes = initialBytes;
    this.#keptMax = keptMax;
  }

  take(): RecordBatchBuilder {
    return this.#free.pop() ?? new RecordBatchBuilder(this.#initialBytes);
  }

  /** Only when the network is done with its bytes. */
  giveBack(builder: RecordBatchBuilder): void {
    if (this.#free.length >= this.#keptMax) return;
    builder.reset();
    this.#free.push(builder);
  }
}
