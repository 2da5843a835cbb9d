import { systemClock } from '@millrace/core';
import type { RunningApplication } from '@millrace/runtime';
import type { StoreDump } from '../../oracle/evidence/evidence.ts';
import { type Ledger, type LedgerStore, STORES } from '../../oracle/ledger/ledger.ts';
import { isRefusal, scanStore } from './scan-store.ts';

/** What Kafka has committed a moment ago is about to be written to the local state. */
const ROUND_PAUSE_MS = 100;
/** Where answers still change after so many rounds, something is done all the time. */
const ROUNDS_MAX = 20;

type Place = readonly [store: LedgerStore, partition: number];

/** What a worker said when it was asked for a partition of a store. Plain data. */
export interface StoreAnswer extends Pick<StoreDump, 'taskId' | 'store'> {
  readonly moment: 'query' | 'last-query';
  readonly rows: readonly (readonly [key: string, value: string])[];
}

export interface StoreAskerParts {
  readonly app: Pick<RunningApplication, 'queries'>;
  readonly ledger: Ledger;
  readonly intervalMs: number;
  readonly onAnswer: (answer: StoreAnswer) => void;
  /** Hears of errors other than those that mean "ask somebody else" or "ask later". */
  readonly onError: (error: unknown) => void;
}

/** Asks an application for its stores while it runs, from the same process, as an HTTP handler would. */
export class StoreAsker {
  readonly #parts: StoreAskerParts;
  readonly #places: readonly Place[];
  readonly #over = new AbortController();
  #next = 0;

  constructor(parts: StoreAskerParts) {
    this.#parts = parts;
    const partitions = Array.from({ length: parts.ledger.partitions }, (_, partition) => partition);
    this.#places = (Object.keys(STORES) as LedgerStore[]).flatMap((store) =>
      partitions.map((partition) => [store, partition] as const),
    );
  }

  /** From here on asks now and then for one store after the other, one partition at a time. */
  begin(): void {
    void this.#goOn();
  }

  /** Asks no more. Does not wait for answers. */
  end(): void {
    this.#over.abort();
  }

  /** Asks for everything that is here, until two rounds say the same. */
  async askAll(): Promise<void> {
    let answers: readonly StoreAnswer[] = [];
    for (let round = 1, said = ''; round <= ROUNDS_MAX; round++) {
      answers = await this.#round();
      const saying = JSON.stringify(answers);
      if (saying === said) break;
      said = saying;
      await systemClock.sleep(ROUND_PAUSE_MS);
    }
    for (const answer of answers) this.#parts.onAnswer(answer);
  }

  async #round(): Promise<StoreAnswer[]> {
    const answers: StoreAnswer[] = [];
    for (const [store, partition] of this.#places) {
      const answer = await this.#ask(store, partition, 'last-query');
      if (answer !== undefined) answers.push(answer);
    }
    return answers;
  }

  async #goOn(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const answer = await this.#askNext();
      if (signal.aborted) return;
      if (answer !== undefined) this.#parts.onAnswer(answer);
      await systemClock.sleep(this.#parts.intervalMs, signal).catch(() => undefined);
    }
  }

  /** The answer of the next place that has one. */
  async #askNext(): Promise<StoreAnswer | undefined> {
    for (let tries = this.#places.length; tries > 0 && !this.#over.signal.aborted; tries--) {
      const [store, partition] = this.#places[this.#next++ % this.#places.length] as Place;
      const answer = await this.#ask(store, partition, 'query');
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  async #ask(store: LedgerStore, partition: number, moment: StoreAnswer['moment']): Promise<StoreAnswer | undefined> {
    const { app, onError } = this.#parts;
    try {
      const rows = [...(await scanStore(app.queries, store, partition))];
      return { taskId: `${STORES[store]}_${partition}`, store, moment, rows };
    } catch (error) {
      if (!isRefusal(error)) onError(error);
      return undefined;
    }
  }
}
