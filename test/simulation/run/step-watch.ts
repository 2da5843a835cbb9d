import type { Step } from '../plan/fault-plan.ts';
import type { SimulatedProcess } from '../world/simulated-process.ts';

/** Called right before an event, with the place of the code that waits for it. */
export type StepListener = (process: SimulatedProcess, place: string) => void;

/** Sees each event of a worker right before it happens, over all its processes. */
export class StepWatch {
  readonly #seen = new Set<string>();
  readonly #listeners = new Set<StepListener>();
  #isWatched = false;

  /** Finding out places costs time: only where somebody has asked for it, which must be before the process starts. */
  get isWatched(): boolean {
    return this.#isWatched;
  }

  /** All places that it has come to. */
  get seen(): ReadonlySet<string> {
    return this.#seen;
  }

  watch(): void {
    this.#isWatched = true;
  }

  /** Calls back before each event until the returned function is called. */
  listen(listener: StepListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  reach(process: SimulatedProcess, place: string): void {
    this.#seen.add(place);
    for (const listener of [...this.#listeners]) listener(process, place);
  }
}

/** Counts the places that a process comes to, in the order in which it does, and how often it comes to each. */
export class StepCount {
  readonly #visits = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  #process: SimulatedProcess | undefined;

  /** @returns true at exactly one event of a process, if it gets there */
  isAt({ place: number, visit }: Step, process: SimulatedProcess, place: string): boolean {
    if (process !== this.#process) this.#begin(process);
    const visits = (this.#visits.get(place) ?? 0) + 1;
    this.#visits.set(place, visits);
    if (visits === 1) this.#numbers.set(place, this.#numbers.size + 1);
    return this.#numbers.get(place) === number && visits === visit;
  }

  #begin(process: SimulatedProcess): void {
    this.#process = process;
    this.#visits.clear();
    this.#numbers.clear();
  }
}
