import type { Cancel, Clock, TaskId } from '@millrace/core';

const BEATS = 0;
const SUBTOPOLOGY = 1;
const PARTITION = 2;
const NONE = -1;

/** What another thread sees of an event loop without its help: how often it has turned, and which task has the turn. */
export class LoopPulse {
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  /** Memory for the pulse of a loop that has not begun yet. */
  static memory(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
    new Int32Array(memory).fill(NONE, SUBTOPOLOGY);
    return memory;
  }

  beat(): void {
    Atomics.add(this.#cells, BEATS, 1);
  }

  /** Beats now, and again and again for as long as the loop turns. */
  keepBeating(clock: Clock, everyMs: number): Cancel {
    let cancel: Cancel = () => undefined;
    const beatOn = (): void => {
      this.beat();
      cancel = clock.setTimer(everyMs, beatOn);
    };
    beatOn();
    return () => cancel();
  }

  /** A task gets its turn; `undefined`: none has it. Called once per some hundred records. */
  turn(task: TaskId | undefined): void {
    Atomics.store(this.#cells, SUBTOPOLOGY, task?.subtopology ?? NONE);
    Atomics.store(this.#cells, PARTITION, task?.partition ?? NONE);
  }

  /** 0 before the first one. */
  get beats(): number {
    return Atomics.load(this.#cells, BEATS);
  }

  get task(): TaskId | undefined {
    const subtopology = Atomics.load(this.#cells, SUBTOPOLOGY);
    const partition = Atomics.load(this.#cells, PARTITION);
    return subtopology === NONE ? undefined : { subtopology, partition };
  }
}
