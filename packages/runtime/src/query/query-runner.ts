import { FatalStreamsError, RetriableError, SettingsError } from '@millrace/core';
import type { AppState } from '../app/app-state.ts';
import { assertKeyAbsent, choosePartitions, type PartitionWish } from './choose-partitions.ts';
import { familyOf, keyOf, type StoreFamily, type StoreQuery, type StoreQueryOptions } from './store-query.ts';
import type { StatePhase, StorePlace, StoreSource } from './store-source.ts';

/** From the one that knows most to the one that knows least. */
const PHASES: readonly StatePhase[] = ['running', 'restoring', 'standby'];

/** What is asked, and of which store. */
export interface Question {
  readonly store: string;
  /** The family that the store has to be of. */
  readonly family: StoreFamily;
  readonly query: StoreQuery;
  readonly options: StoreQueryOptions;
}

/** Rows of an answer, and the store that they come from. */
export interface AnswerPage {
  readonly place: StorePlace;
  readonly rows: readonly unknown[];
}

export interface QueryRunnerOptions {
  /** One for each loop of the application: a partition is in one of them. */
  readonly sources: () => readonly StoreSource[];
  readonly state: () => AppState;
}

/** Asks the partitions of a store that are on this worker, in whichever of its loops they are. */
export class QueryRunner {
  readonly #options: QueryRunnerOptions;

  constructor(options: QueryRunnerOptions) {
    this.#options = options;
  }

  /** Where the store is, as all loops together know it. */
  async locate(store: string, asked?: { readonly key: unknown }): Promise<StorePlace> {
    return (await this.#locate(store, asked)).place;
  }

  /**
   * The answer to a question, in pages.
   *
   * @throws StoreNotHereError; RetriableError `STORE_NOT_READY`; SettingsError `STORE_UNKNOWN`, `STORE_KIND`, `STORE_NOT_QUERYABLE`,
   * `STORE_PARTITION`; FatalStreamsError `STREAMS_NOT_RUNNING`
   */
  async *ask(question: Question): AsyncGenerator<AnswerPage, void> {
    const { store, query, options } = question;
    const key = keyOf(query);
    const { place, sourceOf } = await this.#locate(store, key);
    assertFamily(question, place);
    const { allowStale = false, isolation = 'read_committed', partition } = options;
    const wish: PartitionWish = { store, partition, isAboutKey: key !== undefined, allowStale };
    const chosen = choosePartitions(place, wish);
    for (const one of chosen) {
      let hasRows = false;
      for await (const rows of sourceOf(one).read({ store, partition: one, query, allowStale, isolation })) {
        hasRows = true;
        yield { place, rows };
      }
      if (hasRows && key !== undefined) return;
    }
    if (key !== undefined) assertKeyAbsent(place, wish, chosen);
  }

  async #locate(
    store: string,
    asked: { readonly key: unknown } | undefined,
  ): Promise<{ readonly place: StorePlace; readonly sourceOf: (partition: number | undefined) => StoreSource }> {
    this.#assertRunning();
    const sources = this.#options.sources();
    const places = await Promise.all(sources.map((source) => source.locate(store, asked)));
    const found = nearest(places);
    return {
      place: { ...merged(places), here: [...found].map(([partition, { phase }]) => ({ partition, phase })) },
      sourceOf: (partition) => sources[partition === undefined ? 0 : (found.get(partition)?.loop ?? 0)] as StoreSource,
    };
  }

  #assertRunning(): void {
    const state = this.#options.state();
    if (state === 'running' || state === 'rebalancing') return;
    const remedy = state === 'created' ? 'start it first' : 'ask another worker';
    throw new FatalStreamsError('STREAMS_NOT_RUNNING', `stores cannot be asked while the application is ${state}; ${remedy}`);
  }
}

/** In which of the loops each partition is; of several that have it, while it moves between them, the one that is furthest. */
function nearest(places: readonly StorePlace[]): Map<number, { readonly phase: StatePhase; readonly loop: number }> {
  const found = new Map<number, { readonly phase: StatePhase; readonly loop: number }>();
  for (const [loop, { here }] of places.entries()) {
    for (const { partition, phase } of here) {
      const known = found.get(partition);
      if (known === undefined || PHASES.indexOf(phase) < PHASES.indexOf(known.phase)) found.set(partition, { phase, loop });
    }
  }
  return found;
}

/** What all loops know alike, one perhaps a little earlier than another. */
function merged(places: readonly StorePlace[]): StorePlace {
  const [first] = places;
  if (first === undefined) throw new RetriableError('STORE_NOT_READY', 'no thread of the application runs yet; ask again later');
  return { ...first, hosts: places.map((place) => place.hosts).find((some) => some.length > 0) ?? [] };
}

function assertFamily({ store, family }: Question, { kind }: StorePlace): void {
  if (familyOf(kind) === family) return;
  throw new SettingsError('STORE_KIND', `the store is of the kind ${kind}, and was asked as one of the family ${family}`, {
    store,
  });
}
