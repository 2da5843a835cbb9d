import { int64, string } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { collect, StoreRig } from '../contract/store-rig.ts';
import { memoryEngine } from '../memory/memory-engine.ts';
import { lruStore } from './lru-store.ts';

const open = () =>
  StoreRig.open(lruStore('store', string(), int64(), { maxEntries: 2 }), { harness: { createEngine: () => memoryEngine() } });

describe('LRU store', () => {
  it('forgets the key that was used least recently, in the changelog, too', async () => {
    const rig = await open();
    rig.store.put('a', 1);
    rig.store.put('b', 2);
    await rig.commit();
    expect(rig.store.get('a')).toBe(1);
    rig.store.put('c', 3);
    expect([rig.store.get('a'), rig.store.get('b'), rig.store.get('c')]).toEqual([1, undefined, 3]);
    await rig.commit();
    expect(rig.changelog.map(({ key, value }) => [key.toString(), value === undefined])).toEqual([
      ['a', false],
      ['b', false],
      ['c', false],
      ['b', true],
    ]);
    await rig.move();
    expect(await collect(rig.store.all())).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
    await rig.close();
  });

  it('goes back to the order of the last commit when that is rolled back', async () => {
    const rig = await open();
    rig.store.put('a', 1);
    rig.store.put('b', 2);
    await rig.commit();
    rig.store.put('c', 3);
    rig.rollback();
    rig.store.put('d', 4);
    expect(await collect(rig.store.all())).toEqual([
      ['b', 2],
      ['d', 4],
    ]);
    await rig.close();
  });
});
