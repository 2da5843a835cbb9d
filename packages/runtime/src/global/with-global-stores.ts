import { RetriableError } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { TopologyPlan } from '@millrace/topology';
import type { StreamsComponents } from '../components.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import { Backoff } from '../worker/backoff.ts';
import { GlobalStores } from './global-stores.ts';
import { globalSubtopology } from './global-subtopology.ts';

export interface WithGlobalStoresOptions {
  readonly plan: TopologyPlan;
  readonly settings: ResolvedSettings;
  readonly components: StreamsComponents;
  readonly directory: string;
}

/** What runs while the global stores are there. It must end when its signal aborts. */
export type GlobalStoresUser = (stores: ReadonlyMap<string, StateStore>, signal: AbortSignal) => Promise<void>;

/**
 * Loads the global stores of a topology, then does the work while they are kept up with their topics. The work does not begin
 * before they are complete, and is stopped when they fail; they end after it. A topology without global stores has none to
 * wait for.
 *
 * @param stop interrupts loading and work; then this resolves
 * @throws what loading, following the topics or the work throws
 */
export async function withGlobalStores(
  options: WithGlobalStoresOptions,
  work: GlobalStoresUser,
  stop: AbortSignal,
): Promise<void> {
  const subtopology = globalSubtopology(options.plan);
  if (subtopology === undefined) return work(new Map(), stop);
  const stores = await load({ ...options, subtopology, specs: options.plan.globalStores }, stop);
  if (stores === undefined) return;
  try {
    await workBeside(stores, work, stop);
  } finally {
    await stores.close();
  }
}

/** What passes by itself is tried again. `undefined` when interrupted. */
async function load(options: Parameters<typeof GlobalStores.load>[0], stop: AbortSignal): Promise<GlobalStores | undefined> {
  const { clock, logger } = options.components;
  const backoff = new Backoff(clock, 50, 5000);
  while (!stop.aborted) {
    try {
      await backoff.wait(stop);
      return await GlobalStores.load(options, stop);
    } catch (error) {
      if (stop.aborted) return undefined;
      if (!(error instanceof RetriableError)) throw error;
      logger.warn('the global stores could not be loaded; trying again', { error });
    }
  }
  return undefined;
}

async function workBeside(stores: GlobalStores, work: GlobalStoresUser, stop: AbortSignal): Promise<void> {
  const workEnded = new AbortController();
  const storesFailed = new AbortController();
  const following = stores.keepUp(workEnded.signal).catch((error: unknown) => {
    storesFailed.abort();
    throw error;
  });
  const working = work(stores.stores, AbortSignal.any([stop, storesFailed.signal])).finally(() => workEnded.abort());
  const [followed, worked] = await Promise.allSettled([following, working]);
  // When the stores failed, the work was stopped for it: theirs is the error that counts.
  if (followed.status === 'rejected') throw followed.reason;
  if (worked.status === 'rejected') throw worked.reason;
}
