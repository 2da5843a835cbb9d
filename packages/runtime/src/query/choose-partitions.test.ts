import { describe, expect, it } from 'vitest';
import { assertKeyAbsent, choosePartitions, type PartitionWish } from './choose-partitions.ts';
import type { StatePhase, StorePlace } from './store-source.ts';

const PARTITIONS = 4;

function place(here: Readonly<{ [partition: number]: StatePhase }>, more: Partial<StorePlace> = {}): StorePlace {
  return {
    kind: 'keyValue',
    isGlobal: false,
    partitions: PARTITIONS,
    keyPartition: undefined,
    here: Object.entries(here).map(([partition, phase]) => ({ partition: Number(partition), phase })),
    hosts: [],
    ...more,
  };
}

function wish(more: Partial<PartitionWish> = {}): PartitionWish {
  return { store: 'counts', partition: undefined, isAboutKey: false, allowStale: false, ...more };
}

const hosts = [
  { endpoint: 'one:1', activePartitions: [0, 1], standbyPartitions: [2] },
  { endpoint: 'two:2', activePartitions: [2], standbyPartitions: [] },
];

describe('the partitions that are asked', () => {
  it('are all that run here, in order, for a range', () => {
    expect(choosePartitions(place({ 2: 'running', 0: 'running' }), wish())).toEqual([0, 2]);
  });

  it('begin with that of the key, and go on with those where another partitioner may have placed it', () => {
    const here = place({ 0: 'running', 2: 'running', 3: 'running' }, { keyPartition: 2 });
    expect(choosePartitions(here, wish({ isAboutKey: true }))).toEqual([2, 0, 3]);
  });

  it('are standbys and those being restored too, if what is stale is wanted', () => {
    const here = place({ 0: 'running', 1: 'standby', 3: 'restoring' });
    expect(choosePartitions(here, wish({ allowStale: true }))).toEqual([0, 1, 3]);
    expect(choosePartitions(place({ 0: 'running', 1: 'standby' }), wish())).toEqual([0]);
  });

  it('are none in particular for a global store, once it is loaded', () => {
    expect(choosePartitions(place({ 0: 'running' }, { isGlobal: true }), wish())).toEqual([undefined]);
    expect(() => choosePartitions(place({ 0: 'restoring' }, { isGlobal: true }), wish())).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_READY' }),
    );
  });

  it('must be those of the store', () => {
    for (const partition of [-1, 4, 1.5]) {
      expect(() => choosePartitions(place({ 0: 'running' }), wish({ partition }))).toThrow(
        expect.objectContaining({ code: 'STORE_PARTITION' }),
      );
    }
  });
});

describe('a partition that is not here', () => {
  it('is refused with the name of its owner', () => {
    const elsewhere = place({ 0: 'running' }, { hosts });
    expect(() => choosePartitions(elsewhere, wish({ partition: 2 }))).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_HERE', owner: 'two:2', storePartition: 2 }),
    );
  });

  it('is refused without a name while nobody says that he has it', () => {
    const moving = place({ 0: 'running' }, { hosts });
    expect(() => choosePartitions(moving, wish({ partition: 3 }))).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_HERE', owner: undefined, message: expect.stringContaining('it is moving') }),
    );
  });

  it('is refused as not ready while it is being restored here', () => {
    const restoring = place({ 0: 'running', 1: 'restoring' }, { hosts });
    for (const one of [wish({ partition: 1 }), wish()]) {
      expect(() => choosePartitions(restoring, one)).toThrow(expect.objectContaining({ code: 'STORE_NOT_READY' }));
    }
  });

  it('does not count as one without the key', () => {
    const here = place({ 0: 'running', 1: 'running' }, { keyPartition: 2, hosts });
    const about = wish({ isAboutKey: true });
    expect(() => assertKeyAbsent(here, about, [0, 1])).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_HERE', owner: 'two:2' }),
    );
    expect(() => assertKeyAbsent(place({ 2: 'restoring' }, { keyPartition: 2 }), about, [])).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_READY' }),
    );
  });

  it('has the name of every worker that can be asked when nothing of the store is here', () => {
    expect(() => choosePartitions(place({}, { hosts }), wish())).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_HERE', message: expect.stringContaining('ask one:1, two:2') }),
    );
  });
});

describe('a key that was not found', () => {
  it('is absent when the partition that it belongs to was asked, or all were', () => {
    const about = wish({ isAboutKey: true });
    assertKeyAbsent(place({ 2: 'running' }, { keyPartition: 2 }), about, [2]);
    assertKeyAbsent(place({}, { keyPartition: undefined }), about, [0, 1, 2, 3]);
    assertKeyAbsent(place({ 1: 'running' }, { keyPartition: 2 }), wish({ isAboutKey: true, partition: 1 }), [1]);
  });
});
