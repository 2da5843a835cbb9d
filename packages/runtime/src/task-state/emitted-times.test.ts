import { RecordContext, silentLogger, string } from '@millrace/core';
import { keyValueStore, memoryEngine, timestampedWindowStore, type StateStore, type StoreBuilder } from '@millrace/state';
import { expect, it } from 'vitest';
import { emittedTimes, resumeEmission } from './emitted-times.ts';

async function opened<S extends StateStore>(builder: StoreBuilder<S>, storeId: number): Promise<S> {
  const store = builder.build();
  await store.open({
    database: await memoryEngine().open({ directory: builder.name, taskId: '0_0', logger: silentLogger }),
    storeId,
    changelogTopic: `${builder.name}-changelog`,
    recordContext: new RecordContext(),
    cleanCacheBytes: 1000,
    cachingAllowed: false,
    onExpiredRecord: () => undefined,
    logger: silentLogger,
  });
  return store;
}

it('what has been emitted is told by name, and taken over from whoever was last', async () => {
  const windows = { windowSizeMs: 10, retentionMs: 100 };
  const plain = await opened(keyValueStore('plain', string(), string()), 1);
  const onUpdate = await opened(timestampedWindowStore('updates', string(), string(), windows), 2);
  const onClose = await opened(timestampedWindowStore('closes', string(), string(), { ...windows, closesAfterMs: 10 }), 3);
  const stores = [plain, onUpdate, onClose];
  expect(emittedTimes(stores)).toEqual(new Map());
  resumeEmission(stores, [new Map([['closes', 70]]), new Map([['updates', 5]]), new Map([['closes', 60]])]);
  expect(emittedTimes(stores)).toEqual(new Map([['closes', 70]]));
});
