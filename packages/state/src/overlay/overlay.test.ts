import { describe, expect, it } from 'vitest';
import { type Bucket, DIRTY, Entry } from './entry.ts';
import { Overlay } from './overlay.ts';

/** An overlay whose rows all take 100 bytes, and which tells what it has loaded. */
function createOverlay(cleanBytesMax: number) {
  const loaded: unknown[] = [];
  const overlay = new Overlay<Entry>(cleanBytesMax, (bucket: Bucket<Entry>, identity) => {
    loaded.push(identity);
    const entry = new Entry(bucket, identity);
    entry.bytes = 100;
    return entry;
  });
  return { overlay, loaded, find: (identity: number) => overlay.find(overlay.root, identity) };
}

describe('Overlay', () => {
  it('keeps rows that are used and forgets others, within its budget', () => {
    const { overlay, loaded, find } = createOverlay(1000);
    for (let i = 0; i < 100; i++) {
      find(i);
      find(0);
      expect(overlay.cleanBytes).toBeLessThanOrEqual(1000);
    }
    expect(loaded.filter((one) => one === 0)).toHaveLength(1);
    find(1);
    expect(loaded.filter((one) => one === 1)).toHaveLength(2);
  });

  it('never forgets a row that is not committed', () => {
    const { overlay, find } = createOverlay(300);
    const dirty = find(0);
    overlay.markDirty(dirty);
    for (let i = 1; i < 50; i++) find(i);
    expect(find(0)).toBe(dirty);
    overlay.startCommit();
    for (let i = 1; i < 50; i++) find(i);
    expect(find(0)).toBe(dirty);
    overlay.endCommit();
    for (let i = 1; i < 50; i++) find(i);
    expect(find(0)).not.toBe(dirty);
  });

  it('comes back to its budget when a large commit has ended', () => {
    const { overlay, find } = createOverlay(1000);
    for (let i = 0; i < 500; i++) overlay.markDirty(find(i));
    expect(overlay.pinnedBytes).toBe(50_000);
    overlay.startCommit();
    overlay.endCommit();
    expect(overlay.pinnedBytes).toBe(0);
    expect(overlay.cleanBytes).toBeLessThanOrEqual(1000);
    expect(overlay.cleanBytes).toBeGreaterThan(0);
  });

  it('keeps a row dirty that changes while it is committed', () => {
    const { overlay, find } = createOverlay(1000);
    const row = find(0);
    overlay.markDirty(row);
    expect(overlay.startCommit()).toEqual([row]);
    overlay.markDirty(row);
    overlay.endCommit();
    expect(row.pins).toBe(DIRTY);
    expect(overlay.startCommit()).toEqual([row]);
  });

  it('drops whole buckets, and still commits what was dirty in them', () => {
    const { overlay, loaded } = createOverlay(1000);
    const old = overlay.find(overlay.bucket(1), 'a');
    const kept = overlay.find(overlay.bucket(2), 'a');
    overlay.markDirty(old);
    overlay.dropBucketsBelow(2);
    expect(overlay.find(overlay.bucket(2), 'a')).toBe(kept);
    expect(overlay.find(overlay.bucket(1), 'a')).not.toBe(old);
    expect(loaded).toHaveLength(3);
    expect(overlay.startCommit()).toEqual([old]);
    overlay.endCommit();
    expect(overlay.pinnedBytes).toBe(0);
    expect(overlay.cleanBytes).toBe(200);
  });
});
