import { int64, json, RecordContext, silentLogger, string } from '@millrace/core';
import { bench, describe } from 'vitest';
import type { TimestampedKeyValueStore } from '../contracts/stores.ts';
import { memoryEngine } from '../memory/memory-engine.ts';
import { WriteBatch } from '../write-batch.ts';
import { timestampedKeyValueStore } from './key-value-store.ts';

const OPERATIONS = 100_000;

/** Read-modify-write of counters: what an aggregation does per record. */
async function createCounter(keyCount: number, cleanCacheBytes: number): Promise<() => void> {
  const store = timestampedKeyValueStore('counts', string(), int64()).build();
  await open(store, cleanCacheBytes);
  const keys = Array.from({ length: keyCount }, (_, i) => `key-${i}`);
  let next = 0;
  return () => {
    for (let i = 0; i < OPERATIONS; i++) {
      next = (next + 7919) % keyCount;
      const row = store.find(keys[next] as string);
      store.write(row, (store.read(row) ?? 0) + 1, i);
    }
  };
}

async function open<V>(store: TimestampedKeyValueStore<string, V>, cleanCacheBytes: number) {
  const database = await memoryEngine().open({ directory: 'bench', taskId: '0_0', logger: silentLogger });
  await store.open({
    database,
    storeId: 1,
    changelogTopic: 'bench',
    recordContext: new RecordContext(),
    cleanCacheBytes,
    cachingAllowed: true,
    onExpiredRecord: () => undefined,
    logger: silentLogger,
  });
  return database;
}

describe(`${OPERATIONS} read-modify-writes`, async () => {
  const hot = await createCounter(10_000, 64 << 20);
  const uniform = await createCounter(1_000_000, 512 << 20);
  bench('10 k keys', hot);
  bench('1 M keys, all dirty', uniform);
});

describe('commit of 10 k dirty rows', async () => {
  const store = timestampedKeyValueStore('counts', string(), json<{ n: number }>()).build();
  const database = await open(store, 64 << 20);
  const batch = new WriteBatch();
  const changelog = { append: () => undefined };
  bench('serialise and write to memory', async () => {
    for (let i = 0; i < 10_000; i++) store.write(store.find(`key-${i}`), { n: i }, i);
    batch.clear();
    store.prepareCommit(batch, changelog);
    await database.write(batch);
    store.committed();
  });
});
