import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { InputRecord, OutputRecord } from './cluster.ts';
import { TestApplication } from './test-application.ts';

const ORDERS = 400;
const CUSTOMERS = 20;

/** Every order once per round, each time for another customer; some are cancelled in the last one. */
function orders(rounds: number): InputRecord[] {
  return Array.from({ length: rounds * ORDERS }, (_, i) => {
    const [round, n] = [Math.floor(i / ORDERS), i % ORDERS];
    const cancelled = round === rounds - 1 && n % 10 === 0;
    return cancelled ? { key: `o${n}` } : { key: `o${n}`, value: `c${(n + round) % CUSTOMERS}:i${n}` };
  });
}

/** The names of all customers; of the last three there are none. */
function customers(version: string): InputRecord[] {
  return Array.from({ length: CUSTOMERS - 3 }, (_, n) => ({ key: `c${n}`, value: `${version}${n}` }));
}

/** The rows of the result when everything has been processed. */
function expectedRows(rounds: number, version: string): Map<string, string> {
  const names = new Map(customers(version).map(({ key, value }) => [key, value]));
  const rows = new Map<string, string>();
  for (const { key = '', value } of orders(rounds).slice(-ORDERS)) {
    if (value === undefined) continue;
    const [customer, item] = value.split(':');
    rows.set(key, `${item} for ${names.get(customer) ?? 'nobody'}`);
  }
  return rows;
}

/** What a table's topic comes down to. */
function rowsOf(records: readonly OutputRecord[], read: (value: Buffer) => string): Map<string, string> {
  const rows = new Map<string, string>();
  for (const { key, value } of records) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, read(value));
  }
  return rows;
}

async function createApplication(brokers: string, cacheMaxBytes: number) {
  const settings = { cacheMaxBytes };
  const application = await TestApplication.create({ brokers, partitions: 4, topology: 'referring', settings });
  const customersTopic = `${application.prefix}customers`;
  const countsTopic = `${application.prefix}counts`;
  await application.cluster.create(customersTopic, 3);
  await application.cluster.create(countsTopic, 1);
  return { application, cluster: application.cluster, customersTopic, countsTopic };
}

describeWithKafka('tables joined by a foreign key, and grouped', (brokers) => {
  it.each([0, 1_000_000])(
    'find each other across partitions, also when a process is killed (cache of %i bytes)',
    async (cacheMaxBytes) => {
      const { application, cluster, customersTopic, countsTopic } = await createApplication(brokers, cacheMaxBytes);
      await using _application = application;
      const workers = [application.worker(), application.worker()] as const;
      await Promise.all(workers.map((worker) => worker.running()));
      const rounds = 4;
      const writing = Promise.all([
        cluster.writeSlowly(application.input, orders(rounds), 800),
        cluster.write(customersTopic, customers('a')).then(() => cluster.writeSlowly(customersTopic, customers('b'), 10)),
      ]);
      await cluster.readUntil(application.output, (records) => records.length > ORDERS);
      await workers[0].kill();
      await writing;
      const expected = expectedRows(rounds, 'b');
      await expect
        .poll(async () => rowsOf(await cluster.read(application.output), String), { timeout: 40_000 })
        .toEqual(expected);
      const counts = new Map<string, string>();
      for (const row of expected.values()) {
        const [, name = ''] = row.split(' for ');
        counts.set(name, String(Number(counts.get(name) ?? 0) + 1));
      }
      await expect
        .poll(async () => positive(rowsOf(await cluster.read(countsTopic), (value) => String(value.readBigInt64BE()))), {
          timeout: 20_000,
        })
        .toEqual(counts);
      expect(await workers[1].stop(), workers[1].output).toEqual({ code: 0, signal: null });
    },
  );
});

/** A group whose last row has left keeps the count 0. */
function positive(counts: Map<string, string>): Map<string, string> {
  return new Map([...counts].filter(([, count]) => count !== '0'));
}
