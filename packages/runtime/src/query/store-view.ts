import { SettingsError, type StreamsError } from '@millrace/core';
import type { Question, QueryRunner } from './query-runner.ts';
import { isTimestamped, type StoreFamily, type StoreQuery, type StoreQueryOptions } from './store-query.ts';

/** Which values the rows of a timestamped store are given with. */
export type ValuesGiven = 'bare' | 'timestamped';

export interface StoreViewOptions {
  readonly runner: QueryRunner;
  readonly store: string;
  readonly family: StoreFamily;
  readonly values: ValuesGiven;
  readonly options: StoreQueryOptions;
}

/** One store as it is asked: what the views of all families have in common. */
export class StoreView {
  readonly name: string;
  readonly #options: StoreViewOptions;

  constructor(options: StoreViewOptions) {
    this.name = options.store;
    this.#options = options;
  }

  /** The answer to a question about one row. */
  async one<T>(query: StoreQuery): Promise<T | undefined> {
    for await (const { place, rows } of this.#options.runner.ask(this.#question(query))) {
      return this.#given(place.kind)(rows[0]) as T;
    }
    return undefined;
  }

  /** The numbers that the partitions give, added up. */
  async sum(query: StoreQuery): Promise<number> {
    let sum = 0;
    for await (const { rows } of this.#options.runner.ask(this.#question(query))) sum += rows[0] as number;
    return sum;
  }

  /** Rows of key and value. */
  async *rows<R extends readonly [unknown, unknown]>(query: StoreQuery): AsyncGenerator<R, void> {
    for await (const { place, rows } of this.#options.runner.ask(this.#question(query))) {
      const given = this.#given(place.kind);
      for (const [key, value] of rows as readonly R[]) yield [key, given(value)] as unknown as R;
    }
  }

  #question(query: StoreQuery): Question {
    const { store, family, options } = this.#options;
    return { store, family, query, options };
  }

  #given(kind: string): (value: unknown) => unknown {
    const { values, store } = this.#options;
    if (values === 'bare') return isTimestamped(kind) ? bareValue : asItIs;
    if (isTimestamped(kind)) return asItIs;
    throw withoutTimestamps(store, kind);
  }
}

function bareValue(row: unknown): unknown {
  return (row as { readonly value: unknown }).value;
}

function asItIs(value: unknown): unknown {
  return value;
}

function withoutTimestamps(store: string, kind: string): StreamsError {
  return new SettingsError('STORE_KIND', `the store is of the kind ${kind}, which keeps no timestamps; ask it for bare values`, {
    store,
  });
}
