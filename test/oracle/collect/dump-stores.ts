import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@millrace/core';
import type { StateDatabase } from '@millrace/state';
import { levelDbEngine } from '@millrace/state-leveldb';
import type { StoreDump } from '../evidence/evidence.ts';

const STORE_ID = 'store-id:';
const CHANGELOG_OFFSET = 'changelog-offset:';
const ROW_TAG = 1;
const PREFIX_BYTES = 3;
const TIMESTAMP_BYTES = 8;
const TASK = /^\d+_\d+$/;

/** Stores whose rows have a timestamp in front of the value that the changelog has. */
const TIMESTAMPED: ReadonlySet<string> = new Set(['sums', 'counts', 'rates', 'group-counts']);

export type StoreContent = Pick<StoreDump, 'taskId' | 'store' | 'changelogOffset' | 'rows'>;

/** What lies in one task's database, taken apart without the code that wrote it. */
interface Dumped {
  readonly numbers: Map<string, number>;
  readonly rows: Map<number, Map<string, string>>;
}

/**
 * Reads the stores of all tasks of all instances under a state directory. Works on a copy: what is looked at must not change.
 *
 * @param root `<stateDir>/<applicationId>`; nothing there is nothing to read
 */
export async function dumpStores(root: string): Promise<StoreContent[]> {
  if (!existsSync(root)) return [];
  const copy = mkdtempSync(join(tmpdir(), 'millrace-dump-'));
  try {
    cpSync(root, copy, { recursive: true });
    const found: StoreContent[] = [];
    for (const instance of readdirSync(copy)) {
      for (const taskId of readdirSync(join(copy, instance)).filter((name) => TASK.test(name)))
        found.push(...(await dumpTask(join(copy, instance, taskId), taskId)));
    }
    return found;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function dumpTask(directory: string, taskId: string): Promise<StoreContent[]> {
  const database = await levelDbEngine().open({ directory, taskId, logger: silentLogger });
  try {
    return await dumpDatabase(database, taskId);
  } finally {
    await database.close();
  }
}

/** Reads the stores of one task from its open database. */
export async function dumpDatabase(database: Pick<StateDatabase, 'entries'>, taskId: string): Promise<StoreContent[]> {
  const { numbers, rows } = await readEverything(database);
  return [...numbers]
    .filter(([name]) => name.startsWith(STORE_ID))
    .map(([name, id]) => {
      const store = name.slice(STORE_ID.length);
      const changelogOffset = numbers.get(CHANGELOG_OFFSET + store);
      return { taskId, store, changelogOffset, rows: bareRows(store, rows.get(id) ?? new Map()) };
    });
}

async function readEverything(database: Pick<StateDatabase, 'entries'>): Promise<Dumped> {
  const numbers = new Map<string, number>();
  const rows = new Map<number, Map<string, string>>();
  for await (const [key, value] of database.entries({})) {
    const [keyBytes, valueBytes] = [Buffer.from(key), Buffer.from(value)];
    const storeId = keyBytes.readUInt16BE(0);
    if (storeId === 0) {
      numbers.set(keyBytes.toString('utf8', 2), Number(valueBytes.readBigInt64BE(0)));
    } else if (keyBytes[2] === ROW_TAG) {
      const own = rows.get(storeId) ?? new Map<string, string>();
      rows.set(storeId, own.set(keyBytes.toString('latin1', PREFIX_BYTES), valueBytes.toString('latin1')));
    }
  }
  return { numbers, rows };
}

function bareRows(store: string, rows: ReadonlyMap<string, string>): Map<string, string> {
  const start = TIMESTAMPED.has(store) ? TIMESTAMP_BYTES : 0;
  return new Map([...rows].map(([key, value]) => [key, value.slice(start)]));
}
