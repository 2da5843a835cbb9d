import { bytes, int64 } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreRig } from '../contract/store-rig.ts';
import { memoryEngine } from '../memory/memory-engine.ts';
import { prefixedKeyValueStore } from './prefixed-key-value-store.ts';

/** The first byte says how long the prefix is, itself included. */
const prefixLength = (key: string): number => key.charCodeAt(0);

const builder = prefixedKeyValueStore('store', bytes(), int64(), { prefixLength });

const open = () => StoreRig.open(builder, { harness: { createEngine: () => memoryEngine() } });

function key(prefix: string, rest: string): Buffer {
  return Buffer.from(String.fromCharCode(prefix.length + 1) + prefix + rest, 'latin1');
}

async function scan(rig: Awaited<ReturnType<typeof open>>, prefix: Buffer): Promise<[string, number][]> {
  const rows: [string, number][] = [];
  for await (const [found, { value }] of rig.store.prefixScan(prefix)) rows.push([Buffer.from(found).toString('latin1'), value]);
  return rows;
}

describe('prefixed key-value store', () => {
  it('finds the rows of a prefix like a sorted map, committed or not', async () => {
    const command = fc.oneof(
      fc.record({
        do: fc.constant('put' as const),
        prefix: fc.constantFrom('a', 'ab', 'b'),
        rest: fc.constantFrom('', '1', '2'),
        value: fc.option(fc.nat(9), { nil: undefined }),
      }),
      fc.record({ do: fc.constantFrom('commit' as const, 'rollback' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
        const rig = await open();
        let rows = new Map<string, number>();
        let committed = new Map<string, number>();
        for (const one of commands) {
          if (one.do === 'put') {
            const at = key(one.prefix, one.rest);
            rig.store.put(at, one.value === undefined ? undefined : { value: one.value, timestamp: 1 });
            if (one.value === undefined) rows.delete(at.toString('latin1'));
            else rows.set(at.toString('latin1'), one.value);
          } else if (one.do === 'commit') {
            await rig.commit();
            committed = new Map(rows);
          } else {
            rig.rollback();
            rows = new Map(committed);
          }
          for (const prefix of ['a', 'ab', 'b', 'none']) {
            const start = key(prefix, '').toString('latin1');
            const expected = [...rows].filter(([found]) => found.startsWith(start)).sort(([a], [b]) => (a < b ? -1 : 1));
            expect(await scan(rig, key(prefix, ''))).toEqual(expected);
          }
        }
        await rig.close();
      }),
    );
  });

  it('still finds everything by a shorter prefix', async () => {
    const rig = await open();
    rig.store.put(key('a', '1'), { value: 1, timestamp: 1 });
    rig.store.put(key('b', '1'), { value: 2, timestamp: 1 });
    expect((await scan(rig, Buffer.from([2]))).map(([, value]) => value)).toEqual([1, 2]);
    await rig.close();
  });
});
