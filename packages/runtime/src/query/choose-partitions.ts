import { RetriableError, SettingsError } from '@millrace/core';
import { StoreNotHereError } from './store-not-here-error.ts';
import type { StatePhase, StorePlace } from './store-source.ts';

/** What is looked for. */
export interface PartitionWish {
  readonly store: string;
  /** The only partition to ask. */
  readonly partition: number | undefined;
  /** True for a question about one key, which one partition answers. */
  readonly isAboutKey: boolean;
  readonly allowStale: boolean;
}

/**
 * Says which partitions that are here are to be asked, in this order; `undefined` stands for a global store. For a question about
 * a key the first that has something answers: that of the key comes first, but another one may have it, if another partitioner has placed it.
 *
 * @throws StoreNotHereError; RetriableError `STORE_NOT_READY`; SettingsError `STORE_PARTITION` for a partition that the store does not have
 */
export function choosePartitions(place: StorePlace, wish: PartitionWish): readonly (number | undefined)[] {
  if (place.isGlobal) {
    if (!place.here.some(({ phase }) => phase === 'running')) throw stillLoading(wish.store);
    return [undefined];
  }
  const { partition } = wish;
  if (partition !== undefined) {
    assertExists(place, wish.store, partition);
    if (!isUsable(phaseOf(place, partition), wish)) throw unavailable(place, wish, partition);
    return [partition];
  }
  const usable = place.here.filter(({ phase }) => isUsable(phase, wish)).map((one) => one.partition);
  if (wish.isAboutKey) return usable.sort((a, b) => Number(b === place.keyPartition) - Number(a === place.keyPartition) || a - b);
  const restoring = place.here.find(({ phase }) => phase === 'restoring');
  if (!wish.allowStale && restoring !== undefined) throw unavailable(place, wish, restoring.partition);
  if (usable.length === 0) throw unavailable(place, wish, undefined);
  return usable.sort((a, b) => a - b);
}

/**
 * No partition that was asked has the key. That is the answer, if the partition of the key was among them.
 *
 * @throws StoreNotHereError, RetriableError `STORE_NOT_READY`
 */
export function assertKeyAbsent(place: StorePlace, wish: PartitionWish, asked: readonly (number | undefined)[]): void {
  const { keyPartition, partitions, isGlobal } = place;
  if (isGlobal || wish.partition !== undefined || asked.length >= partitions || asked.includes(keyPartition)) return;
  throw unavailable(place, wish, keyPartition);
}

function assertExists({ partitions }: StorePlace, store: string, partition: number): void {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return;
  throw new SettingsError('STORE_PARTITION', `the store has no partition ${partition}; give one from 0 to ${partitions - 1}`, {
    store,
  });
}

function phaseOf({ here }: StorePlace, partition: number): StatePhase | undefined {
  return here.find((one) => one.partition === partition)?.phase;
}

function isUsable(phase: StatePhase | undefined, { allowStale }: PartitionWish): boolean {
  return phase === 'running' || (allowStale && phase !== undefined);
}

function unavailable(place: StorePlace, { store, allowStale }: PartitionWish, partition: number | undefined): RetriableError {
  const phase = partition === undefined ? undefined : phaseOf(place, partition);
  if (phase === 'restoring' && !allowStale) {
    return new RetriableError(
      'STORE_NOT_READY',
      `partition ${partition} of the store is being restored; ask again later, or with allowStale for what is there`,
      { store },
    );
  }
  const owner = place.hosts.find(({ activePartitions }) => partition !== undefined && activePartitions.includes(partition));
  const what = partition === undefined ? 'no partition of the store is' : `partition ${partition} of the store is not`;
  return new StoreNotHereError(
    `${what} on this worker; ${whereTo(place, owner?.endpoint, partition)}`,
    store,
    partition,
    owner?.endpoint,
  );
}

function stillLoading(store: string): RetriableError {
  return new RetriableError('STORE_NOT_READY', 'the global store is being loaded; ask again later', { store });
}

function whereTo({ hosts }: StorePlace, owner: string | undefined, partition: number | undefined): string {
  if (owner !== undefined) return `its owner is ${owner}, ask there`;
  if (hosts.length === 0)
    return 'ask another worker (which one is known when the workers have the setting applicationServer), or again later';
  if (partition !== undefined) return 'it is moving, or its owner does not say where it can be asked: ask again later';
  return `ask ${hosts.map(({ endpoint }) => endpoint).join(', ')}, or again later`;
}
