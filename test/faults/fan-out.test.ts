import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { string, topic } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import { start } from 'millrace';
import { describe, expect, inject, it } from 'vitest';
import { TestCluster } from '../integration/runtime/cluster.ts';

const brokers = inject('faultBrokers');
const OUTPUTS = 500_000;
const VALUE = 'v'.repeat(800);
/** The record path is synchronous: what one record makes is in memory until its last output is there, but not twice. */
const GROWTH_BYTES_MAX = 1.5 * OUTPUTS * VALUE.length;

/** Counts by the headers of the batches: the records themselves would be too many to keep. */
async function countCommitted({ client }: TestCluster, name: string): Promise<number> {
  const ends = await client.offsets.list([{ topic: name, partition: 0 }], 'latest');
  const end = ends.get(`${name}-0`) ?? 0;
  const fetcher = client.createFetcher({ isolation: 'read_committed', lane: 'restore' });
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

describe('a record with a huge number of outputs', () => {
  it('F48 has all of them in one transaction, and in memory once', async () => {
    const prefix = `fan-out-${randomUUID().slice(0, 8)}.`;
    const stateDir = mkdtempSync(join(tmpdir(), 'millrace-fan-out-'));
    await using cluster = new TestCluster(brokers);
    await cluster.create(`${prefix}in`, 1);
    await cluster.create(`${prefix}out`, 1);
    const text = { key: string(), value: string() };
    const builder = new StreamsBuilder();
    builder
      .stream(topic(`${prefix}in`, text))
      .flatMapValues(function* (value) {
        for (let n = 0; n < Number(value); n++) yield VALUE;
      })
      .to(topic(`${prefix}out`, text));
    const before = process.memoryUsage.rss();
    const app = await start(builder.build(), {
      applicationId: `${prefix}app`,
      brokers: brokers.split(','),
      guarantee: 'exactly_once_v2',
      commitIntervalMs: 100,
      stateDir,
    });
    await app.running();
    await cluster.write(`${prefix}in`, [{ key: 'k', value: String(OUTPUTS) }]);
    await cluster.drained(`${prefix}app`, `${prefix}in`);
    const growth = process.memoryUsage.rss() - before;
    await app.close();
    await cluster.settled(prefix);
    expect(await countCommitted(cluster, `${prefix}out`)).toBe(OUTPUTS);
    expect(growth, `memory grew by ${Math.round(growth / 1024 / 1024)} MiB`).toBeLessThan(GROWTH_BYTES_MAX);
    rmSync(stateDir, { recursive: true, force: true });
  });
});
