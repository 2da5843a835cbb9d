import { type BufferRow, leavesBefore } from './buffer-row.ts';

/** Waiting rows, the first to leave on top: a binary heap. */
export class RowHeap {
  #rows: BufferRow[] = [];

  get first(): BufferRow | undefined {
    return this.#rows[0];
  }

  add(row: BufferRow): void {
    const rows = this.#rows;
    let at = rows.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = rows[parent] as BufferRow;
      if (leavesBefore(above, row)) break;
      rows[at] = above;
      at = parent;
    }
    rows[at] = row;
  }

  removeFirst(): void {
    const rows = this.#rows;
    const last = rows.pop();
    if (last === undefined || rows.length === 0) return;
    let at = 0;
    for (let child = 1; child < rows.length; child = 2 * at + 1) {
      if (child + 1 < rows.length && leavesBefore(rows[child + 1] as BufferRow, rows[child] as BufferRow)) child++;
      if (leavesBefore(last, rows[child] as BufferRow)) break;
      rows[at] = rows[child] as BufferRow;
      at = child;
    }
    rows[at] = last;
  }

  /** Starts again with these rows. */
  reset(rows: Iterable<BufferRow>): void {
    // A sorted array is a heap.
    this.#rows = [...rows].sort((a, b) => (leavesBefore(a, b) ? -1 : 1));
  }
}
