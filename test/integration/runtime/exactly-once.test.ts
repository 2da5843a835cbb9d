import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { MORTAL, TestApplication } from './test-application.ts';

const KEYS = 20;

describeWithKafka('a running application', (brokers) => {
  /** Everything is counted once: no more, no less, in order. */
  async function expectCountedOnce(application: TestApplication, perKey: number): Promise<void> {
    const output = await application.cluster.read(application.output);
    expect(sorted(valuesByKey(output)), application.log).toEqual(sorted(countedOnce(KEYS, perKey)));
  }

  it('counts over several partitions exactly once, and keeps its counts over a clean restart', async () => {
    await using application = await TestApplication.create({ brokers });
    const { cluster, input } = application;
    await cluster.write(input, numberedRecords(KEYS, 50));
    const first = application.worker();
    await application.drained();
    expect(await first.stop(), first.output).toEqual({ code: 0, signal: null });
    expect(first.state).toBe('not-running');
    expect(first.tasks).toEqual([]);
    await expectCountedOnce(application, 50);

    await cluster.write(input, numberedRecords(KEYS, 10, 51));
    const second = application.worker();
    await second.running();
    expect(second.tasks).toEqual(['0_0', '0_1', '0_2', '0_3']);
    await application.drained();
    await second.stop();
    expect(second.restoredRecords, second.output).toBe(0);
    await expectCountedOnce(application, 60);
  });

  it('restores only what was committed since the last local write after SIGKILL, and everything when the state is gone', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 2 });
    const { cluster, input } = application;
    await cluster.write(input, numberedRecords(KEYS, 100));
    const first = application.worker();
    await application.drained();
    await first.kill();

    const second = application.worker();
    await second.running();
    expect(second.restoredRecords, second.output).toBeLessThanOrEqual(KEYS);
    await second.stop();

    const third = application.worker({ stateDir: `${application.stateDir}/elsewhere` });
    await third.running();
    expect(third.restoredRecords, third.output).toBeGreaterThanOrEqual(KEYS);
    await cluster.write(input, numberedRecords(KEYS, 1, 101));
    await application.drained();
    await third.stop();
    await expectCountedOnce(application, 101);
  });

  it('goes on elsewhere at once after SIGKILL in the middle of an open transaction, not after its timeout', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 2 });
    const { cluster, id, input } = application;
    const padding = 'x'.repeat(2000);
    // More than a producer holds back until the commit, so that a transaction is open on the broker.
    await cluster.write(
      input,
      numberedRecords(KEYS, 250).map((record) => ({ ...record, value: `${record.value} ${padding}` })),
    );
    const dying = application.worker({ ...MORTAL, commitIntervalMs: 600_000, transactionTimeoutMs: 900_000 });
    await dying.running();
    const isOpen = async () => (await cluster.client.admin.listOpenTransactions()).some((open) => open.startsWith(id));
    // Before Kafka 4.0 (transactions v1) a partition is added to the transaction before the first record is sent.
    const isSent = async () => (await cluster.read(application.output, 'read_uncommitted')).length > 0;
    await expect.poll(async () => (await isSent()) && (await isOpen()), { timeout: 90_000 }).toBe(true);
    await dying.kill();

    const heir = application.worker({ stateDir: `${application.stateDir}/elsewhere` });
    await application.drained();
    await heir.stop();
    expect(heir.logged('fenced a departed worker'), heir.output).toBeDefined();
    const counts = valuesByKey(await cluster.read(application.output));
    const expected = Array.from({ length: 250 }, (_, index) => `${index + 1}:${index + 1} ${padding}`);
    expect(counts.size).toBe(KEYS);
    for (const [key, values] of counts) expect(values.join() === expected.join(), `${key}: ${values.length} values`).toBe(true);
  });
});
