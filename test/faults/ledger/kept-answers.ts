import type { StoreAnswer } from './store-asker.ts';

/** Of each store of a task; a worker with three tasks of both kinds keeps 120 at most. */
const KEPT_MAX = 8;

interface Kept {
  answers: StoreAnswer[];
  /** Every so-many-th is kept. */
  stride: number;
  heard: number;
}

/** What a worker has said when it was asked, as much as can be kept of a long run: some of each store, spread over all of its time. */
export class KeptAnswers {
  readonly #kept = new Map<string, Kept>();
  readonly #last = new Map<string, StoreAnswer>();

  add(answer: StoreAnswer): void {
    const place = `${answer.store} ${answer.taskId}`;
    if (answer.moment === 'last-query') {
      this.#last.set(place, answer);
      return;
    }
    // Any store was empty once: that says nothing, and would take the place of what does.
    if (answer.rows.length === 0) return;
    const kept = this.#kept.get(place) ?? { answers: [], stride: 1, heard: 0 };
    this.#kept.set(place, kept);
    if (kept.heard++ % kept.stride !== 0) return;
    kept.answers.push(answer);
    if (kept.answers.length <= KEPT_MAX) return;
    kept.answers = kept.answers.filter((_, index) => index % 2 === 0);
    kept.stride *= 2;
  }

  get all(): StoreAnswer[] {
    return [...[...this.#kept.values()].flatMap(({ answers }) => answers), ...this.#last.values()];
  }
}
