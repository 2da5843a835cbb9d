import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KafkaBroker, startKafka } from '../../kafka/broker.ts';
import { describeWithSecureKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { countWhile, shareTasks } from './shared-work.ts';
import { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const WORKLOAD = { keys: 20, perKey: 100, perSecond: 400 };
const PARTITIONS = 6;

/** Under this protocol the session is the broker's; by default a test would wait 45 s for a member that died. */
const SHORT_SESSIONS = {
  'group.streams.initial.rebalance.delay.ms': '0',
  'group.streams.assignment.interval.ms': '200',
  'group.streams.min.session.timeout.ms': '1000',
  'group.streams.session.timeout.ms': '3000',
  'group.streams.min.heartbeat.interval.ms': '200',
  'group.streams.heartbeat.interval.ms': '500',
};

const sharing = (...workers: Worker[]): Promise<void> => shareTasks(PARTITIONS, workers);

// A broker of its own, since its sessions are shorter; where ours can run at all is where the secured one does.
describeWithSecureKafka('workers whose tasks the broker assigns', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka({ settings: SHORT_SESSIONS });
  });
  afterAll(() => broker.stop());

  const create = (): Promise<TestApplication> =>
    TestApplication.create({ brokers: broker.brokers, partitions: PARTITIONS, settings: { groupProtocol: 'streams' } });

  it('share them; when a third one joins some move, and nothing is lost or repeated', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      const third = application.worker();
      await sharing(first, second, third);
      return [first, second, third];
    });
    for (const worker of [first, second]) expect(worker.logged('belong to another one'), worker.output).toBeUndefined();
  });

  it('go on from the changelog when one is killed', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 500);
      await first.kill();
      await sharing(second);
      expect(second.restoredRecords, second.output).toBeGreaterThan(0);
      return [second];
    });
  });

  it('end the transaction that a killed one left open: readers of its output need not wait for the timeout', {
    timeout: 90_000,
  }, async () => {
    await using application = await create();
    const { cluster, input, output } = application;
    const [keys, perKey, padding] = [30, 100, 'x'.repeat(8000)];
    const slow = { commitIntervalMs: 59_000, transactionTimeoutMs: 60_000, stateDir: `${application.stateDir}/dying` };
    // A quarter of this is held back until the commit: less than the two partitions with the fewest keys make of their input.
    const dying = application.worker({ ...slow, outputBufferMaxBytes: 4 * 1024 * 1024 });
    const heirs = [application.worker(), application.worker()];
    await sharing(dying, ...heirs);
    // More than it holds back, so that a transaction is open on the broker.
    const records = numberedRecords(keys, perKey).map((record) => ({ ...record, value: `${record.value} ${padding}` }));
    await cluster.write(input, records);
    const processId = await readFile(join(slow.stateDir, application.id, '0', 'process-id'), 'utf8');
    const isOpen = async () => (await cluster.client.admin.listOpenTransactions()).some((id) => id.includes(processId));
    await expect.poll(isOpen, { timeout: 20_000 }).toBe(true);
    await dying.kill();
    const killedAtMs = performance.now();

    await application.drained();
    const counted = sorted(valuesByKey(await cluster.readUntil(output, ({ length }) => length >= keys * perKey)));
    // Its session of 3 s has to end first.
    expect(performance.now() - killedAtMs, application.log).toBeLessThan(20_000);
    const expected = sorted(countedOnce(keys, perKey)).map(([key, counts]) => [
      key,
      counts.map((count) => `${count} ${padding}`),
    ]);
    expect(JSON.stringify(counted) === JSON.stringify(expected), application.log).toBe(true);
    expect(
      heirs.some((heir) => heir.logged('fenced a departed worker')),
      application.log,
    ).toBe(true);
    for (const heir of heirs) {
      expect(heir.logged('belong to another one'), heir.output).toBeUndefined();
      expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    }
  });

  it('take over within 2.5 s when one is told to stop by SIGTERM', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 200);
      expect(await first.stop(), first.output).toEqual({ code: 0, signal: null });
      await sharing(second);
      const askedAtMs = first.events.find(({ state }) => state === 'pending-shutdown')?.atMs ?? 0;
      const tookOver = second.events.filter(({ change, atMs }) => change === 'opened' && atMs > askedAtMs);
      expect(tookOver, application.log).toHaveLength(PARTITIONS / 2);
      // Well below the session timeout: the broker has been told.
      expect((tookOver.at(-1)?.atMs ?? 0) - askedAtMs, application.log).toBeLessThan(2500);
      return [second];
    });
  });

  it('are not harmed by one that was frozen for longer than its session', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 400);
      first.signal('SIGSTOP');
      await sharing(second);
      first.signal('SIGCONT');
      await sharing(first, second);
      return [first, second];
    });
  });

  it('go on when the broker is restarted', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 400);
      await broker.restart();
      return [first, second];
    });
  });

  it('find the internal topics made by the broker, with a partition per task', async () => {
    await using application = await create();
    await application.worker().running();
    const changelog = `${application.id}-counts-changelog`;
    await expect.poll(async () => (await application.cluster.partitions(changelog)).length).toBe(PARTITIONS);
  });

  it('go on where workers of the classic protocol have stopped', async () => {
    await using application = await create();
    const { cluster, input, output } = application;
    const { keys, perKey } = WORKLOAD;
    const classic = application.worker({ groupProtocol: 'classic' });
    await sharing(classic);
    await cluster.write(input, numberedRecords(keys, perKey));
    await application.drained();
    expect(await classic.stop(), classic.output).toEqual({ code: 0, signal: null });
    const streams = application.worker();
    await sharing(streams);
    await cluster.write(input, numberedRecords(keys, perKey, perKey + 1));
    await application.drained();
    expect(await streams.stop(), streams.output).toEqual({ code: 0, signal: null });
    expect(streams.restoredRecords).toBe(0);
    expect(sorted(valuesByKey(await cluster.read(output))), application.log).toEqual(sorted(countedOnce(keys, 2 * perKey)));
  });

  it('all stop when one of them asks for it', async () => {
    await using application = await create();
    const workers = [0, 1].map(() => application.worker({}, { onUncaughtError: 'shutdown-application' }));
    await sharing(...workers);
    await application.cluster.write(application.input, [{ key: 'a', value: '!' }]);
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    expect(ends.map(({ code }) => code).sort(), application.log).toContain(1);
    for (const worker of workers) expect(['error', 'not-running'], worker.output).toContain(worker.state);
  });

  it('are refused while workers of the classic protocol run', async () => {
    await using application = await create();
    const classic = application.worker({ groupProtocol: 'classic' });
    await sharing(classic);
    const streams = application.worker();
    expect(await streams.ended, streams.output).toMatchObject({ code: 1 });
    expect(streams.events.at(-1)?.failure).toMatchObject({ code: 'GROUP_OF_ANOTHER_PROTOCOL' });
    expect(classic.state).toBe('running');
  });

  it('are refused with another topology than the group has', async () => {
    await using application = await create();
    const first = application.worker();
    await first.running();
    const other = application.worker({}, { topology: 'countingByValue' });
    expect(await other.ended, other.output).toMatchObject({ code: 1 });
    expect(other.events.at(-1)?.failure).toMatchObject({ code: 'TOPOLOGY_MISMATCH' });
    expect(first.state).toBe('running');
  });

  it('end with the name of a source topic that is missing', async () => {
    await using application = await TestApplication.create({
      brokers: broker.brokers,
      partitions: 0,
      settings: { groupProtocol: 'streams' },
    });
    const worker = application.worker();
    expect(await worker.ended, worker.output).toMatchObject({ code: 1 });
    const failure = worker.events.at(-1)?.failure;
    expect(failure).toMatchObject({ code: 'SOURCE_TOPIC_MISSING', message: expect.stringContaining(application.input) });
  });
});
