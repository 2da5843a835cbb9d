import { type Ledger, type LedgerStore, STORES } from '../../oracle/ledger/ledger.ts';
import type { Choices } from '../plan/seeded-choices.ts';
import type { SimulatedProcess } from '../world/simulated-process.ts';
import type { SimulatedWorker } from './simulated-worker.ts';

/** Between two questions at most; mostly far less. */
const PAUSE_MAX_MS = 200;
const STORE_NAMES = Object.keys(STORES) as LedgerStore[];

export interface StoreQuestionsParts {
  readonly ledger: Ledger;
  readonly workers: readonly SimulatedWorker[];
  /** Who asks. */
  readonly process: SimulatedProcess;
  /** What is asked, and when. */
  readonly choices: Choices;
}

/** Asks the workers of a run for their stores, at moments that the seed decides. */
export class StoreQuestions {
  readonly #parts: StoreQuestionsParts;
  #isOver = false;

  constructor(parts: StoreQuestionsParts) {
    this.#parts = parts;
  }

  /** From here on asks all workers now and then for some partition of some store. */
  begin(): void {
    const { process, choices } = this.#parts;
    process.after(PAUSE_MAX_MS * choices.fraction() ** 2, 'question', () => {
      if (this.#isOver) return;
      this.#askOne();
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  #askOne(): void {
    const { ledger, workers, choices } = this.#parts;
    const store = choices.oneOf(STORE_NAMES);
    const partition = choices.between(0, ledger.partitions - 1);
    for (const worker of workers) void worker.ask(store, partition, 'query');
  }

  /**
   * Asks all workers for everything. To be called when nobody is killed or paused any more: who is does not answer.
   *
   * @returns the tasks that each of them has had all the while
   */
  async askAll(): Promise<ReadonlyMap<SimulatedWorker, ReadonlySet<string>>> {
    const { workers } = this.#parts;
    const before = workers.map(({ journal }) => journal.tenures());
    await Promise.all(workers.flatMap((worker) => this.#askForEverything(worker)));
    return new Map(
      workers.map((worker, index) => {
        const now = worker.journal.tenures();
        const kept = [...(before[index] ?? [])].filter(([taskId, sinceMs]) => now.get(taskId) === sinceMs);
        return [worker, new Set(kept.map(([taskId]) => taskId))];
      }),
    );
  }

  #askForEverything(worker: SimulatedWorker): Promise<void>[] {
    const partitions = Array.from({ length: this.#parts.ledger.partitions }, (_, partition) => partition);
    return STORE_NAMES.flatMap((store) => partitions.map((partition) => worker.ask(store, partition, 'last-query')));
  }
}
