import { json, type RecordMetadata, string } from '@millrace/core';
import { type KeyValueStore, keyValueStore, timestampedKeyValueStore } from '@millrace/state';
import type { ProcessingContext } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { tableTransformValuesOperator, transformedTableView } from './table-transform-values.ts';
import { storedTableView } from './table-view.ts';
import type { ValueTransformer } from './value-transformer.ts';

/** Appends the number of calls for the key, which it keeps in a store. */
function counting(): ValueTransformer<string, string, string> {
  let calls: KeyValueStore<string, number>;
  return {
    init(context) {
      calls = context.getStateStore('calls');
    },
    transform(value, key) {
      const count = (calls.get(key) ?? 0) + 1;
      calls.put(key, count);
      return `${value ?? 'gone'}#${count}`;
    },
  };
}

async function start() {
  const harness = new OperatorHarness();
  await harness.open(keyValueStore('calls', string(), json<number>()));
  return harness;
}

describe('table transformValues', () => {
  it('is called for deletions too, and for the old value after the new one', async () => {
    const harness = await start();
    const node = harness.node(tableTransformValuesOperator({ supplier: counting, sendOldValues: true }));
    harness.change(node, 'k', 'a', undefined, 1);
    harness.change(node, 'k', undefined, 'a', 2);
    expect(harness.forwarded).toEqual([
      { key: 'k', value: 'a#1', at: 1, old: 'gone#2' },
      { key: 'k', value: 'gone#3', at: 2, old: 'a#4' },
    ]);
  });

  it('keeps the rows when materialized, and takes old values from there', async () => {
    const harness = await start();
    const store = await harness.open(timestampedKeyValueStore('table', string(), json<string>()));
    const node = harness.node(tableTransformValuesOperator({ supplier: counting, store: 'table', sendOldValues: true }));
    harness.change(node, 'k', 'a', undefined, 1);
    harness.change(node, 'k', 'b', 'a', 2);
    expect(harness.forwarded).toEqual([
      { key: 'k', value: 'a#1', at: 1 },
      { key: 'k', value: 'b#2', at: 2, old: 'a#1' },
    ]);
    expect(store.get('k')).toEqual({ value: 'b#2', timestamp: 2 });
  });

  it('deletes the row for an absent result', async () => {
    const harness = await start();
    const supplier = () => ({ transform: () => undefined });
    harness.change(harness.node(tableTransformValuesOperator({ supplier, sendOldValues: false })), 'k', 'a', undefined);
    expect(harness.forwarded).toEqual([{ key: 'k', value: undefined, at: 0 }]);
  });

  it('is run again for look-ups, by a transformer that sees no record', async () => {
    const harness = await start();
    const parent = await harness.open(timestampedKeyValueStore('parent', string(), json<string>()));
    const seen: (RecordMetadata | undefined)[] = [];
    let closed = 0;
    const supplier = (): ValueTransformer<string, string, string> => {
      let context: ProcessingContext;
      return {
        init(given) {
          context = given;
        },
        transform(value) {
          seen.push(context.recordMetadata());
          return `${value ?? 'none'}!`;
        },
        close() {
          closed++;
        },
      };
    };
    const getter = transformedTableView(storedTableView<string, string>('parent'), supplier).createGetter();
    const looked: unknown[] = [];
    const node = harness.node(() => ({
      init: (context) => getter.init(context),
      process: (key) => {
        looked.push([getter.get(key as string), getter.timestamp]);
      },
      close: () => getter.close?.(),
    }));
    parent.put('k', { value: 'a', timestamp: 5 });
    harness.pipe(node, 'k', 1, 9);
    harness.pipe(node, 'other', 1, 9);
    node.close?.();
    expect(looked).toEqual([
      ['a!', 5],
      ['none!', -1],
    ]);
    expect(seen).toEqual([undefined, undefined]);
    expect(closed).toBe(1);
  });

  it('refuses an async transformer', async () => {
    const harness = await start();
    const supplier = () => ({ transform: (async () => 'x') as never });
    const node = harness.node(tableTransformValuesOperator({ supplier, sendOldValues: false }));
    expect(() => harness.change(node, 'k', 'a', undefined)).toThrow(expect.objectContaining({ code: 'ASYNC_CALLBACK' }));
  });
});
