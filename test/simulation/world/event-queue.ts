/** Something that happens at a moment of virtual time. */
export interface QueuedEvent {
  readonly dueMs: number;
  /** Decides between events of the same moment. */
  readonly tie: number;
}

/** Events in the order of their times: a binary heap. */
export class EventQueue<E extends QueuedEvent> {
  readonly #heap: E[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(event: E): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as E)) break;
      heap[at] = heap[parent] as E;
      at = parent;
    }
    heap[at] = event;
  }

  pop(): E | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const child = this.#earlierChild(at);
      if (child < 0 || !isBefore(heap[child] as E, last)) break;
      heap[at] = heap[child] as E;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  #earlierChild(parent: number): number {
    const left = 2 * parent + 1;
    if (left >= this.#heap.length) return -1;
    const right = left + 1;
    return right < this.#heap.length && isBefore(this.#heap[right] as E, this.#heap[left] as E) ? right : left;
  }
}

function isBefore(one: QueuedEvent, other: QueuedEvent): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.tie < other.tie);
}
