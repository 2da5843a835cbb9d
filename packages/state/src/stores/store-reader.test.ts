import { int64, json, type Serde, string } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { StoreRig } from '../contract/store-rig.ts';
import type { StateEngine } from '../contracts/engine.ts';
import { memoryEngine } from '../memory/memory-engine.ts';
import { joinStore } from './join-store.ts';
import { keyValueStore } from './key-value-store.ts';
import { sessionStore } from './session-store.ts';
import { windowStore } from './window-store.ts';
import { withoutLogging } from './without-logging.ts';

const windows = { windowSizeMs: 10, retentionMs: 100 };

describe('reader of a store', () => {
  it('tells the bytes that the changelog has for a key, without its window', async () => {
    const builder = windowStore('store', json<{ id: number }>(), int64(), windows);
    const rig = await StoreRig.open(builder, { harness: { createEngine: () => memoryEngine() } });
    rig.store.put({ id: 7 }, 1, 5);
    await rig.commit();
    const bytes = builder.reader?.keyBytes({ id: 7 }, 'topic') as Uint8Array;
    expect(Buffer.from(bytes)).toEqual(rig.changelog[0]?.key.subarray(0, -12));
    await rig.close();
  });

  it('gives the serde the name of the topic', () => {
    const topics: string[] = [];
    const serde: Serde<string> = {
      name: 'noting',
      serialize(key, topic) {
        topics.push(topic);
        return Buffer.from(key);
      },
      deserialize: String,
    };
    sessionStore('store', serde, int64(), { retentionMs: 10 }).reader?.keyBytes('a', 'app-store-changelog');
    expect(topics).toEqual(['app-store-changelog']);
  });

  it('has no bytes of an absent key', () => {
    const { reader } = keyValueStore('store', string(), int64());
    expect(() => reader?.keyBytes(undefined, 'topic')).toThrow(expect.objectContaining({ code: 'STORE_KEY_ABSENT' }));
  });

  it('is the same without a changelog, and missing where only an operator knows what is in the store', () => {
    const builder = keyValueStore('store', string(), int64());
    expect(withoutLogging(builder).reader).toBe(builder.reader);
    expect(joinStore('store', string(), int64(), { retentionMs: 10, spanMs: 5 })).not.toHaveProperty('reader');
    expect(withoutLogging(joinStore('store', string(), int64(), { retentionMs: 10, spanMs: 5 }))).not.toHaveProperty('reader');
  });

  it('shows what is committed where an engine has no snapshots', async () => {
    const rig = await StoreRig.open(keyValueStore('store', string(), int64()), { harness: { createEngine: withoutSnapshots } });
    rig.store.put('a', 1);
    await rig.commit();
    rig.store.put('a', 2);
    const reader = await rig.openReader();
    expect([reader.get('a'), rig.store.get('a')]).toEqual([1, 2]);
    reader.close();
    await rig.close();
  });
});

function withoutSnapshots(): StateEngine {
  const engine = memoryEngine();
  return {
    name: engine.name,
    persistent: engine.persistent,
    quarantine: (directory) => engine.quarantine(directory),
    destroy: (directory) => engine.destroy(directory),
    async open(options) {
      const database = await engine.open(options);
      return {
        get: (key) => database.get(key),
        entries: (range, order) => database.entries(range, order),
        write: (batch) => database.write(batch),
        close: () => database.close(),
      };
    },
  };
}
