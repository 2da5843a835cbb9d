import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { string, topic } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import { start, type StartOptions } from 'millrace';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { TestCluster } from '../integration/runtime/cluster.ts';

const brokers = inject('faultBrokers');
const MIB = 1024 * 1024;
const VALUE = 'v'.repeat(400);
const text = { key: string(), value: string() };

describe('a record with a huge number of outputs', () => {
  let prefix: string;
  let stateDir: string;
  let cluster: TestCluster;

  beforeEach(async () => {
    prefix = `fan-out-${randomUUID().slice(0, 8)}.`;
    stateDir = mkdtempSync(join(tmpdir(), 'millrace-fan-out-'));
    cluster = new TestCluster(brokers);
    await cluster.create(`${prefix}in`, 1);
    await cluster.create(`${prefix}out`, 1);
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true, force: true });
  });

  /** The value of a record says how many outputs it has. */
  function fanOut(settings: Partial<StartOptions>): ReturnType<typeof start> {
    const builder = new StreamsBuilder();
    builder
      .stream(topic(`${prefix}in`, text))
      .flatMapValues(function* (value) {
        for (let n = 0; n < Number(value); n++) yield VALUE;
      })
      .to(topic(`${prefix}out`, text));
    return start(builder.build(), { ...connection(), guarantee: 'exactly_once_v2', ...settings });
  }

  /** One record may take longer on a slow machine than sessions and transactions usually last. */
  function connection(): StartOptions {
    const limits = { transactionTimeoutMs: 120_000, sessionTimeoutMs: 120_000, shutdownTimeoutMs: 120_000 };
    return { applicationId: `${prefix}app`, brokers: brokers.split(','), commitIntervalMs: 100, stateDir, ...limits };
  }

  /** The cluster waits for so long only; where one record takes long, it is asked again. */
  async function drained(): Promise<void> {
    const once = (): Promise<void> => cluster.drained(`${prefix}app`, `${prefix}in`);
    await once().catch(once).catch(once);
  }

  /** Counts by the headers of the batches: the records themselves would be too many to keep. */
  async function countCommitted(): Promise<number> {
    const name = `${prefix}out`;
    await cluster.settled(prefix);
    const ends = await cluster.client.offsets.list([{ topic: name, partition: 0 }], 'latest');
    const end = ends.get(`${name}-0`) ?? 0;
    const fetcher = cluster.client.createFetcher({ isolation: 'read_committed', lane: 'restore' });
    fetcher.assign(name, 0, 0);
    let count = 0;
    while (fetcher.position(name, 0) < end) {
      await fetcher.wait(1000);
      for (let fetched = fetcher.take(); fetched !== undefined; fetched = fetcher.take())
        for (const { header } of fetched.batches) count += header.recordCount;
    }
    await fetcher.close();
    return count;
  }

  it('F48 has all of them in one transaction, and few of them in memory at a time', async () => {
    const outputs = 1_000_000;
    const app = await fanOut({ memoryBudgetBytes: 64 * MIB });
    await app.running();
    forgetPeak();
    const before = Math.max(process.memoryUsage.rss(), peakBytesSince(0));
    await cluster.write(`${prefix}in`, [{ key: 'k', value: String(outputs) }]);
    await drained();
    // The highest that there was: nobody can look while the record is processed.
    const growth = peakBytesSince(before);
    await app.close();
    expect(await countCommitted()).toBe(outputs);
    expect(outputs * VALUE.length).toBeGreaterThan(380 * MIB);
    expect(growth, `memory grew by ${Math.round(growth / MIB)} MiB`).toBeLessThan(120 * MIB);
  });

  it.each(['at_least_once', 'exactly_once_v2'] as const)(
    'F48 keeps the order of each of many partitions, %s',
    async (guarantee) => {
      const outputs = 60_000;
      await cluster.create(`${prefix}many`, 40);
      const builder = new StreamsBuilder();
      builder
        .stream(topic(`${prefix}in`, text))
        .flatMap(function* (value) {
          for (let n = 0; n < Number(value); n++) yield [`key-${n % 997}`, `${n}`.padEnd(400)];
        })
        .to(topic(`${prefix}many`, text));
      const app = await start(builder.build(), { ...connection(), guarantee, memoryBudgetBytes: 16 * MIB });
      await cluster.write(`${prefix}in`, [{ key: 'k', value: String(outputs) }]);
      await drained();
      await app.close();
      const last = new Map<number, number>();
      const records = await cluster.read(`${prefix}many`);
      for (const { partition, value } of records) {
        const number = Number(value);
        expect(number).toBeGreaterThan(last.get(partition) ?? -1);
        last.set(partition, number);
      }
      expect([records.length, last.size]).toEqual([outputs, 40]);
    },
  );

  it.runIf(existsSync('/dev/full'))('F48 says so when the disk has no room for what memory has none for', async () => {
    const outputs = 50_000;
    const instance = join(stateDir, `${prefix}app`, '0');
    mkdirSync(instance, { recursive: true });
    symlinkSync('/dev/full', join(instance, 'outputs-0'));
    const failing = await fanOut({ outputBufferMaxBytes: MIB });
    await failing.running();
    await cluster.write(`${prefix}in`, [{ key: 'k', value: String(outputs) }]);
    await failing.finished;
    expect(failing.failure).toMatchObject({ code: 'OUTPUT_SPILL_FAILED', topic: `${prefix}out`, partition: 0 });
    expect(await countCommitted()).toBe(0);
    // The file is gone with its name: from here on there is room.
    const app = await fanOut({ outputBufferMaxBytes: MIB });
    await drained();
    expect(readdirSync(instance)).not.toContain('outputs-0');
    await app.close();
    expect(await countCommitted()).toBe(outputs);
  });
});

/** What other tests had before is forgotten, where the system can do that: from here on the most memory is counted anew. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Then growth that stays below their peak is not seen.
  }
}

/** By how much the most memory that the process ever had exceeds what is given. */
function peakBytesSince(bytes: number): number {
  return process.resourceUsage().maxRSS * 1024 - bytes;
}
