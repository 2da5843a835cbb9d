import { RetriableError } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import type { StorePlace, StoreRead, StoreSource } from '../query/store-source.ts';
import { ManualClock } from '../task-harness/manual-clock.ts';
import type { QueryFromThread, QueryToThread } from './thread-messages.ts';
import { ThreadStoreDesk } from './thread-store-desk.ts';
import { ThreadStores } from './thread-stores.ts';

const PLACE: StorePlace = {
  kind: 'keyValue',
  isGlobal: false,
  partitions: 2,
  keyPartition: 1,
  here: [{ partition: 1, phase: 'running' }],
  hosts: [],
};

const READ: StoreRead = {
  store: 'counts',
  partition: 1,
  query: { kind: 'range', from: undefined, to: undefined, reverse: false },
  allowStale: false,
  isolation: 'read_committed',
};

/** Answers with these pages, and notes how its reads end. */
class ScriptedSource implements StoreSource {
  readonly ends: string[] = [];
  readonly pages: readonly (readonly unknown[])[];

  constructor(pages: readonly (readonly unknown[])[]) {
    this.pages = pages;
  }

  async locate(store: string): Promise<StorePlace> {
    if (store !== 'counts') throw new RetriableError('STORE_NOT_READY', 'not yet', { store });
    return PLACE;
  }

  async *read(): AsyncGenerator<readonly unknown[], void> {
    let given = 0;
    try {
      for (const page of this.pages) {
        given++;
        yield page;
      }
    } finally {
      this.ends.push(`after ${given}`);
    }
  }
}

/** A thread with this source, at the other end of a line that clones what goes over it. */
function stage(source: StoreSource | undefined, isConnected = true) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const desk = new ThreadStoreDesk((answer) => {
    const copy = structuredClone(answer) as QueryFromThread;
    queueMicrotask(() => stores.onAnswer(copy));
  });
  if (source !== undefined) desk.serve(source);
  const stores = new ThreadStores(3, clock, (question) => {
    const copy = structuredClone(question) as QueryToThread;
    asked.push(copy.kind);
    if (isConnected) void desk.onQuestion(copy);
  });
  return { stores, clock, asked };
}

async function all(pages: AsyncIterable<readonly unknown[]>): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

describe('the stores of a thread', () => {
  it('tell the main thread where they are, and what is in them, page by page', async () => {
    const source = new ScriptedSource([[['a', 1]], [['b', { at: new Date(5) }]]]);
    const { stores, asked } = stage(source);
    expect(await stores.locate('counts', { key: 'a' })).toEqual(PLACE);
    expect(await all(stores.read(READ))).toEqual([
      ['a', 1],
      ['b', { at: new Date(5) }],
    ]);
    expect(asked).toEqual(['locate-store', 'read-store', 'read-on', 'read-on']);
    expect(source.ends).toEqual(['after 2']);
  });

  it('are released when nobody wants the rest', async () => {
    const source = new ScriptedSource([[1], [2], [3]]);
    const { stores, asked } = stage(source);
    for await (const page of stores.read(READ)) {
      expect(page).toEqual([1]);
      break;
    }
    expect(asked.at(-1)).toBe('stop-reading');
    expect(source.ends).toEqual(['after 1']);
  });

  it('fail with the error of the thread', async () => {
    const { stores } = stage(new ScriptedSource([]));
    await expect(stores.locate('others')).rejects.toMatchObject({ code: 'STORE_NOT_READY', store: 'others' });
    await expect(stage(undefined).stores.locate('counts')).rejects.toBeInstanceOf(RetriableError);
  });

  it('say so when a key or a value cannot go from one thread to another', async () => {
    const source = new ScriptedSource([[() => 'a function']]);
    const { stores } = stage(source);
    await expect(stores.locate('counts', { key: () => 1 })).rejects.toMatchObject({ code: 'QUERY_NOT_PORTABLE' });
    await expect(all(stores.read(READ))).rejects.toMatchObject({ code: 'QUERY_NOT_PORTABLE' });
    expect(source.ends).toEqual(['after 1']);
  });

  it('do not keep anybody waiting when the thread ends, or does not answer', async () => {
    const { stores, clock } = stage(new ScriptedSource([]), false);
    const unanswered = expect(stores.locate('counts')).rejects.toMatchObject({
      code: 'STORE_NOT_READY',
      message: expect.stringContaining('thread 3'),
    });
    await clock.advance(30_000);
    await unanswered;
    const orphaned = expect(all(stores.read(READ))).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
    stores.end();
    await orphaned;
    await expect(stores.locate('counts')).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
  });
});
