import { silentLogger } from '@millrace/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateDatabase, StateEngine } from '../contracts/engine.ts';
import { batchOf, bytesOf, entriesOf, getText, type Operation } from './database-access.ts';

/** How the suite gets at the engine under test. */
export interface StateEngineHarness {
  /** A new engine; several may exist in one process. */
  createEngine(): StateEngine;
  /** An empty directory of the suite's own. Needed by persistent engines. */
  createDirectory?(): Promise<string>;
  /** Called after each test, e.g. to delete what `createDirectory` has made. */
  cleanUp?(): Promise<void>;
}

/**
 * The suite that every state engine passes.
 *
 * @example describeStateEngineContract('memory', { createEngine: () => memoryEngine() });
 */
export function describeStateEngineContract(name: string, harness: StateEngineHarness): void {
  describe(`${name} keeps the contract of state engines`, () => {
    let engine: StateEngine;
    let directory: string;
    let database: StateDatabase;
    const open = () => engine.open({ directory, taskId: '0_0', logger: silentLogger });

    beforeEach(async () => {
      engine = harness.createEngine();
      directory = (await harness.createDirectory?.()) ?? '/task/0_0';
      database = await open();
    });

    afterEach(async () => {
      await database.close();
      await harness.cleanUp?.();
    });

    describeReads(() => database);
    describeScans(() => database);
    describeSnapshots(() => database);
    describeWrites(() => database);
    describeModel(() => database);
    describeLife(() => ({ engine, directory, database, open }));
  });
}

type Database = () => StateDatabase;

function describeReads(database: Database): void {
  it('returns undefined for a key that was never put', () => {
    expect(getText(database(), 'a')).toBeUndefined();
  });

  it('gives bytes that the caller may change without changing the database', async () => {
    await database().write(batchOf([['put', 'a', 'value']]));
    database().get(bytesOf('a'))?.fill(0);
    for await (const [, value] of database().entries({})) value.fill(0);
    expect(getText(database(), 'a')).toBe('value');
  });

  it('keeps empty keys and empty values apart from absent ones', async () => {
    await database().write(
      batchOf([
        ['put', 'a', ''],
        ['put', 'ab', 'x'],
      ]),
    );
    expect(getText(database(), 'a')).toBe('');
    expect(await entriesOf(database())).toEqual([
      ['a', ''],
      ['ab', 'x'],
    ]);
  });

  it('orders keys as unsigned bytes, a prefix before what it begins', async () => {
    const keys = ['\xff', '\x7f', '\x80', 'a', 'ab', '\x00', 'b', '\xff\x00'];
    await database().write(batchOf(keys.map((key) => ['put', key, key])));
    const sorted = ['\x00', 'a', 'ab', 'b', '\x7f', '\x80', '\xff', '\xff\x00'];
    expect((await entriesOf(database())).map(([key]) => key)).toEqual(sorted);
    expect((await entriesOf(database(), {}, true)).map(([key]) => key)).toEqual(sorted.toReversed());
  });
}

function describeScans(database: Database): void {
  it('bounds a scan from gte, inclusive, to lt, exclusive', async () => {
    await database().write(batchOf(['a', 'b', 'c', 'd'].map((key) => ['put', key, key])));
    const range = { gte: bytesOf('b'), lt: bytesOf('d') };
    expect(await entriesOf(database(), range)).toEqual([
      ['b', 'b'],
      ['c', 'c'],
    ]);
    expect(await entriesOf(database(), range, true)).toEqual([
      ['c', 'c'],
      ['b', 'b'],
    ]);
    expect(await entriesOf(database(), { gte: bytesOf('c') })).toEqual([
      ['c', 'c'],
      ['d', 'd'],
    ]);
    expect(await entriesOf(database(), { gte: bytesOf('x') })).toEqual([]);
  });

  it('does not show a running scan what is written after it began', async () => {
    await database().write(batchOf(Array.from({ length: 3000 }, (_, i) => ['put', `k${String(i).padStart(5, '0')}`, 'old'])));
    const scan = database().entries({})[Symbol.asyncIterator]();
    const seen = [(await scan.next()).value];
    await database().write(
      batchOf([
        ['put', 'k00500', 'new'],
        ['delete', 'k01000'],
        ['deleteRange', 'k02000', 'k02500'],
        ['put', 'x', 'new'],
      ]),
    );
    for (let next = await scan.next(); next.done !== true; next = await scan.next()) seen.push(next.value);
    expect(seen).toHaveLength(3000);
    expect(seen.every((row) => Buffer.from(row?.[1] as Uint8Array).toString() === 'old')).toBe(true);
    expect(await entriesOf(database())).toHaveLength(3000 - 1 - 500 + 1);
  });

  it('releases a scan that ends early, and goes on working', async () => {
    await database().write(
      batchOf([
        ['put', 'a', '1'],
        ['put', 'b', '2'],
      ]),
    );
    for await (const [key] of database().entries({})) {
      expect(Buffer.from(key).toString()).toBe('a');
      break;
    }
    expect(await entriesOf(database())).toHaveLength(2);
  });
}

/** Of engines that have them. */
function describeSnapshots(database: Database): void {
  it('keeps in a snapshot what was there, for look-ups and for scans that begin later', async () => {
    await database().write(batchOf(Array.from({ length: 1000 }, (_, i) => ['put', `k${i + 1000}`, 'old'])));
    const snapshot = database().snapshot?.();
    if (snapshot === undefined) return;
    const before = await entriesOf(database());
    await database().write(
      batchOf([
        ['put', 'k1500', 'new'],
        ['put', 'k1500x', 'new'],
        ['delete', 'k1001'],
        ['deleteRange', 'k1200', 'k1400'],
      ]),
    );
    expect(['k1500', 'k1500x', 'k1001', 'k1300'].map((key) => getText(snapshot, key))).toEqual(['old', undefined, 'old', 'old']);
    expect(await entriesOf(snapshot)).toEqual(before);
    expect(await entriesOf(snapshot, { gte: bytesOf('k15') }, true)).toEqual(before.slice(500).toReversed());
    expect(getText(database(), 'k1500')).toBe('new');
    snapshot.close();
  });

  it('refuses a snapshot that has been closed, also to a scan that runs, and goes on working', async () => {
    await database().write(batchOf(Array.from({ length: 3000 }, (_, i) => ['put', `k${i + 1000}`, 'x'])));
    const snapshot = database().snapshot?.();
    if (snapshot === undefined) return;
    const scan = snapshot.entries({})[Symbol.asyncIterator]();
    await scan.next();
    snapshot.close();
    snapshot.close();
    await expect(restOf(scan)).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    expect(() => snapshot.get(bytesOf('k1000'))).toThrow(expect.objectContaining({ code: 'STATE_CLOSED' }));
    await expect(entriesOf(snapshot)).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    await database().write(batchOf([['put', 'k1000', 'y']]));
    expect(getText(database(), 'k1000')).toBe('y');
  });
}

async function restOf<T>(scan: AsyncIterator<T>): Promise<void> {
  for (let next = await scan.next(); next.done !== true; next = await scan.next());
}

function describeWrites(database: Database): void {
  it('applies the operations of a batch in order', async () => {
    await database().write(
      batchOf([
        ['put', 'a', '1'],
        ['delete', 'a'],
        ['put', 'b', '1'],
        ['put', 'b', '2'],
        ['delete', 'c'],
        ['put', 'c', '3'],
      ]),
    );
    expect(await entriesOf(database())).toEqual([
      ['b', '2'],
      ['c', '3'],
    ]);
  });

  it('lets puts that follow a range delete in the same batch stand', async () => {
    await database().write(
      batchOf([
        ['put', 'a', '1'],
        ['put', 'b', '1'],
        ['put', 'c', '1'],
      ]),
    );
    await database().write(
      batchOf([
        ['put', 'aa', '2'],
        ['deleteRange', 'a', 'c'],
        ['put', 'b', '3'],
      ]),
    );
    expect(await entriesOf(database())).toEqual([
      ['b', '3'],
      ['c', '1'],
    ]);
  });

  it('can be given the same batch again once it is cleared', async () => {
    const batch = batchOf([['put', 'a', '1']]);
    await database().write(batch);
    batch.clear();
    await database().write(batchOf([['put', 'b', '2']], batch));
    expect(await entriesOf(database())).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('accepts an empty batch', async () => {
    await database().write(batchOf([]));
    expect(await entriesOf(database())).toEqual([]);
  });

  it('keeps values of a megabyte', async () => {
    const large = 'x'.repeat(1 << 20);
    await database().write(batchOf([['put', 'large', large]]));
    expect(getText(database(), 'large')).toBe(large);
  });
}

function describeModel(database: Database): void {
  it('behaves like a sorted map under random batches', async () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '\xff'), maxLength: 3 });
    const operation = fc.oneof(
      fc.tuple(fc.constant('put' as const), key, fc.string({ unit: fc.constantFrom('1', '2'), maxLength: 3 })),
      fc.tuple(fc.constant('delete' as const), key),
      fc.tuple(fc.constant('deleteRange' as const), key, key).filter(([, from, to]) => from <= to),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 12 }), { maxLength: 8 }), async (batches) => {
        await database().write(batchOf([['deleteRange', '', '\xff\xff\xff\xff']]));
        const model = new Map<string, string>();
        for (const operations of batches) {
          await database().write(batchOf(operations));
          for (const one of operations) applyTo(model, one);
        }
        expect(await entriesOf(database())).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
        for (const [one, value] of model) expect(getText(database(), one)).toBe(value);
      }),
      { numRuns: 50 },
    );
  });
}

function applyTo(model: Map<string, string>, [kind, first, second]: Operation): void {
  if (kind === 'put') model.set(first, second);
  else if (kind === 'delete') model.delete(first);
  else for (const key of [...model.keys()]) if (key >= first && key < second) model.delete(key);
}

interface Life {
  readonly engine: StateEngine;
  readonly directory: string;
  readonly database: StateDatabase;
  readonly open: () => Promise<StateDatabase>;
}

function describeLife(life: () => Life): void {
  it('refuses a second open of the same directory', async () => {
    await expect(life().open()).rejects.toMatchObject({ code: 'STATE_LOCKED' });
    await life().database.write(batchOf([['put', 'a', '1']]));
    expect(getText(life().database, 'a')).toBe('1');
  });

  it('can be opened again after close, with its rows exactly when it is persistent', async () => {
    await life().database.write(batchOf([['put', 'a', '1']]));
    await life().database.close();
    const again = await life().open();
    expect(getText(again, 'a')).toBe(life().engine.persistent ? '1' : undefined);
    await again.close();
  });

  it('closes once, however often it is told to, and refuses work afterwards', async () => {
    const { database } = life();
    await Promise.all([database.close(), database.close()]);
    await database.close();
    expect(() => database.get(bytesOf('a'))).toThrow(/closed/);
    await expect(database.write(batchOf([['put', 'a', '1']]))).rejects.toThrow(/closed/);
  });

  it('closes without waiting for scans and snapshots in use, which fail', async () => {
    const { database } = life();
    await database.write(batchOf(Array.from({ length: 3000 }, (_, i) => ['put', `k${i + 1000}`, 'x'])));
    const snapshot = database.snapshot?.();
    const scans = [database, ...(snapshot === undefined ? [] : [snapshot])].map((one) => one.entries({})[Symbol.asyncIterator]());
    for (const scan of scans) await scan.next();
    // This one is waiting for rows while the database is closed, the others are not.
    const waiting = expect(entriesOf(database)).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    await Promise.all([database.close(), waiting]);
    for (const scan of scans) await expect(restOf(scan)).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    await expect(entriesOf(database)).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    if (snapshot === undefined) return;
    expect(() => snapshot.get(bytesOf('k1000'))).toThrow(expect.objectContaining({ code: 'STATE_CLOSED' }));
    expect(() => database.snapshot?.()).toThrow(expect.objectContaining({ code: 'STATE_CLOSED' }));
    snapshot.close();
  });

  it('starts empty after quarantine and after destroy', async () => {
    const { engine, directory, open } = life();
    let database = life().database;
    for (const remove of [() => engine.quarantine(directory), () => engine.destroy(directory)]) {
      await database.write(batchOf([['put', 'a', '1']]));
      await database.close();
      await remove();
      database = await open();
      expect(await entriesOf(database)).toEqual([]);
    }
    await database.close();
    await engine.destroy(directory);
    await engine.destroy(directory);
  });
}
