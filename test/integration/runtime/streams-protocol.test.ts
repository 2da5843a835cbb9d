import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KafkaBroker, startKafka } from '../../kafka/broker.ts';
import { describeWithSecureKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 20;
const PER_KEY = 100;
const PER_SECOND = 400;
const TASKS = ['0_0', '0_1', '0_2', '0_3', '0_4', '0_5'];

/** Under this protocol the session is the broker's; by default a test would wait 45 s for a member that died. */
const SHORT_SESSIONS = {
  'group.streams.initial.rebalance.delay.ms': '0',
  'group.streams.assignment.interval.ms': '200',
  'group.streams.min.session.timeout.ms': '1000',
  'group.streams.session.timeout.ms': '3000',
  'group.streams.min.heartbeat.interval.ms': '200',
  'group.streams.heartbeat.interval.ms': '500',
};

/** Waits until the workers together run every task once, each its share. */
async function sharing(...workers: Worker[]): Promise<void> {
  const shares = workers.map(() => TASKS.length / workers.length);
  try {
    await expect.poll(() => workers.map(({ tasks }) => tasks.length), { timeout: 30_000 }).toEqual(shares);
    for (const worker of workers) await worker.running();
  } catch (cause) {
    throw new Error(`the workers do not share the tasks:\n${workers.map(({ output }) => output).join('\n---\n')}`, { cause });
  }
  expect(workers.flatMap(({ tasks }) => tasks).sort()).toEqual(TASKS);
}

// A broker of its own, since its sessions are shorter; where ours can run at all is where the secured one does.
describeWithSecureKafka('workers whose tasks the broker assigns', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka({ settings: SHORT_SESSIONS });
  });
  afterAll(() => broker.stop());

  const create = (): Promise<TestApplication> =>
    TestApplication.create({ brokers: broker.brokers, partitions: TASKS.length, settings: { groupProtocol: 'streams' } });

  /** Writes all input while `happen` goes on, then stops the workers that are left and compares the output with the model. */
  async function countWhile(application: TestApplication, happen: () => Promise<readonly Worker[]>): Promise<void> {
    const { cluster, input, output } = application;
    const [left] = await Promise.all([happen(), cluster.writeSlowly(input, numberedRecords(KEYS, PER_KEY), PER_SECOND)]);
    await application.drained();
    for (const worker of left) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(sorted(valuesByKey(await cluster.read(output))), application.log).toEqual(sorted(countedOnce(KEYS, PER_KEY)));
  }

  it('share them; when a third one joins some move, and nothing is lost or repeated', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, async () => {
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
    await countWhile(application, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 500);
      await first.kill();
      await sharing(second);
      expect(second.restoredRecords, second.output).toBeGreaterThan(0);
      return [second];
    });
  });

  it('take over within 2.5 s when one is told to stop by SIGTERM', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 200);
      expect(await first.stop(), first.output).toEqual({ code: 0, signal: null });
      await sharing(second);
      const askedAtMs = first.events.find(({ state }) => state === 'pending-shutdown')?.atMs ?? 0;
      const tookOver = second.events.filter(({ change, atMs }) => change === 'opened' && atMs > askedAtMs);
      expect(tookOver, application.log).toHaveLength(TASKS.length / 2);
      // Well below the session timeout: the broker has been told.
      expect((tookOver.at(-1)?.atMs ?? 0) - askedAtMs, application.log).toBeLessThan(2500);
      return [second];
    });
  });

  it('are not harmed by one that was frozen for longer than its session', { timeout: 90_000 }, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, async () => {
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
    await countWhile(application, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 400);
      await broker.restart();
      return [first, second];
    });
  });

  it('find the internal topics made by the broker, with a partition per task', async () => {
    await using application = await create();
    await application.worker().running();
    const changelog = `${application.id}-counts-changelog`;
    await expect.poll(async () => (await application.cluster.partitions(changelog)).length).toBe(TASKS.length);
  });

  it('are refused with another topology than the group has', async () => {
    await using application = await create();
    const first = application.worker();
    await first.running();
    const other = application.worker({}, { topology: 'countingByValue' });
    expect(await other.ended, other.output).toMatchObject({ code: 1 });
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
