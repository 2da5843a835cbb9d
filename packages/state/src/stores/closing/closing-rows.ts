import type { Retention } from '../../layout/retention.ts';
import type { KeyIdentity } from '../../overlay/key-codec.ts';
import { type TakenRows, UnemittedRows } from './unemitted-rows.ts';

export interface ClosingRowsOptions {
  readonly retention: Retention;
  /** A row is closed when the close time is at least so much above its time. */
  readonly closesAfterMs: number;
  /** Called when rows have lost their last hold: buckets have expired. */
  readonly onExpired: () => void;
}

/** Rows of a store whose results are emitted once: keeps them beyond their retention until then. */
export class ClosingRows {
  readonly #rows = new UnemittedRows();
  readonly #options: ClosingRowsOptions;

  constructor(options: ClosingRowsOptions) {
    this.#options = options;
  }

  /** The close time of the last emission; −1 before the first. */
  get emittedUntil(): number {
    return this.#rows.emittedUntil;
  }

  /** True when the close time has moved since the last commit. */
  get hasMoved(): boolean {
    return this.#rows.hasMoved;
  }

  /** A row comes to be there, or goes. */
  note(time: number, key: KeyIdentity, isThere: boolean): void {
    if (isThere) this.#rows.add(time, key);
    else this.#rows.remove(time, key);
    this.#hold();
  }

  #hold(): void {
    if (this.#options.retention.hold(this.#rows.firstTime)) this.#options.onExpired();
  }

  /** Visits what has closed and has not been emitted, time by time. */
  emit(closeTime: number, visit: (taken: TakenRows) => void): void {
    const last = this.#firstOpenAt(closeTime) - 1;
    for (let taken = this.#rows.take(last); taken !== undefined; taken = this.#rows.take(last)) visit(taken);
    this.#rows.emitted(closeTime);
    this.#hold();
  }

  /** The lowest time of a row that has not closed. */
  #firstOpenAt(closeTime: number): number {
    return Math.max(0, closeTime - this.#options.closesAfterMs + 1);
  }

  resume(closeTime: number): void {
    if (closeTime <= this.emittedUntil) return;
    this.#rows.resume(closeTime, this.#firstOpenAt(closeTime) - 1);
    this.#hold();
  }

  /** Rows are being restored: those that have not been emitted are kept, however old. */
  restoring(): void {
    this.#options.retention.hold(this.#firstOpenAt(this.emittedUntil));
  }

  /**
   * Finds out what has not been emitted.
   *
   * @param storedUntil the close time that was stored with the rows
   * @param scan gives all rows from a time on, and perhaps some before
   */
  async load(
    storedUntil: number,
    scan: (from: number, add: (time: number, key: KeyIdentity) => void) => Promise<void>,
  ): Promise<void> {
    this.#rows.reset(Math.max(storedUntil, this.emittedUntil));
    const from = this.#firstOpenAt(this.emittedUntil);
    await scan(from, (time, key) => {
      if (time >= from) this.#rows.load(time, key);
    });
    this.#hold();
  }

  prepareCommit(): void {
    this.#rows.prepareCommit();
  }

  committed(): void {
    this.#rows.committed();
  }

  /** To be called after the retention has gone back. */
  rollback(): void {
    this.#rows.rollback();
    this.#hold();
  }
}
