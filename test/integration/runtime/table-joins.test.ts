import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { InputRecord, OutputRecord } from './cluster.ts';
import { MORTAL, STEADY, TestApplication } from './test-application.ts';

const ORDERS = 400;
const CUSTOMERS = 20;
const ROUNDS_MIN = 4;

/** Every order, each round for another customer; some are cancelled in the last one. */
function orders(round: number, isLast: boolean): InputRecord[] {
  return Array.from({ length: ORDERS }, (_, n) =>
    isLast && n % 10 === 0 ? { key: `o${n}` } : { key: `o${n}`, value: `c${(n + round) % CUSTOMERS}:i${n}` },
  );
}

/** Round after round until it is over, and the last one. */
function* ordersUntil(isOver: () => boolean): Generator<InputRecord, void> {
  let round = 0;
  for (; round < ROUNDS_MIN - 1 || !isOver(); round++) yield* orders(round, false);
  yield* orders(round, true);
}

/** The names of all customers; of the last three there are none. */
function customers(version: string): InputRecord[] {
  return Array.from({ length: CUSTOMERS - 3 }, (_, n) => ({ key: `c${n}`, value: `${version}${n}` }));
}

/** The rows of the result when everything has been processed. */
function expectedRows(rounds: number, version: string): Map<string, string> {
  const names = new Map(customers(version).map(({ key, value }) => [key, value]));
  const rows = new Map<string, string>();
  for (const { key = '', value } of orders(rounds - 1, true)) {
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
  /** Waits until both workers have something to read. */
  async function bothAssigned({ cluster, id }: TestApplication): Promise<void> {
    const busy = async () => (await cluster.client.admin.describeGroup(id)).members.filter((one) => one.partitions.length > 0);
    await expect.poll(busy, { timeout: 60_000 }).toHaveLength(2);
  }

  it.each([0, 1_000_000])(
    'find each other across partitions, also when a process is killed (cache of %i bytes)',
    { timeout: 300_000 },
    async (cacheMaxBytes) => {
      const { application, cluster, customersTopic, countsTopic } = await createApplication(brokers, cacheMaxBytes);
      await using _application = application;
      const [dying, heir] = [application.worker(MORTAL), application.worker(STEADY)];
      await bothAssigned(application);
      let [isKilled, before] = [false, 0];
      const kill = async (): Promise<void> => {
        await cluster.readUntil(application.output, (records) => records.length > ORDERS);
        before = heir.restoredRecords;
        await dying.kill();
      };
      const killing = kill().finally(() => {
        isKilled = true;
      });
      const [written] = await Promise.all([
        cluster.writeSlowly(
          application.input,
          ordersUntil(() => isKilled),
          800,
        ),
        cluster.write(customersTopic, customers('a')).then(() => cluster.writeSlowly(customersTopic, customers('b'), 10)),
        killing,
      ]);
      const expected = expectedRows(written / ORDERS, 'b');
      await expect
        .poll(async () => rowsOf(await cluster.read(application.output), String), { timeout: 100_000, interval: 500 })
        .toEqual(expected);
      const counts = new Map<string, string>();
      for (const row of expected.values()) {
        const [, name = ''] = row.split(' for ');
        counts.set(name, String(Number(counts.get(name) ?? 0) + 1));
      }
      await expect
        .poll(async () => positive(rowsOf(await cluster.read(countsTopic), (value) => String(value.readBigInt64BE()))), {
          timeout: 100_000,
          interval: 500,
        })
        .toEqual(counts);
      expect(heir.restoredRecords, heir.output).toBeGreaterThan(before);
      expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    },
  );
});

/** A group whose last row has left keeps the count 0. */
function positive(counts: Map<string, string>): Map<string, string> {
  return new Map([...counts].filter(([, count]) => count !== '0'));
}
