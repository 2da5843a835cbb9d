import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KafkaBroker, startKafka } from '../../kafka/broker.ts';
import { describeWithSecureKafka } from '../kafka-under-test.ts';
import type { OutputRecord } from './cluster.ts';
import { quickHandOver } from './hand-over.ts';
import { drainedOrLost, LOST_MARKERS_MAX } from './lost-marker.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { countWhile, shareTasks, writeWhile } from './shared-work.ts';
import { STEADY, TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const WORKLOAD = { keys: 20, perKey: 100, perSecond: 400 };
const PARTITIONS = 6;
const TAKE_OVER_MS = 2500;
/** With a broker and several processes to start, on a machine with much else to do. */
const SLOW = { timeout: 300_000 };

/** Under this protocol these are the broker's. */
const NO_DELAYS = {
  'group.streams.initial.rebalance.delay.ms': '0',
  'group.streams.assignment.interval.ms': '200',
  'group.streams.min.session.timeout.ms': '1000',
  'group.streams.min.heartbeat.interval.ms': '200',
  'group.streams.heartbeat.interval.ms': '500',
};
/** Nothing waits for its end, and no member is lost because the machine stands still for a while. */
const LONG_SESSIONS = { ...NO_DELAYS, 'group.streams.session.timeout.ms': '60000' };
/** By default a test would wait 45 s for a member that died. Not shorter: the others have to keep theirs. */
const SHORT_SESSIONS = { ...NO_DELAYS, 'group.streams.session.timeout.ms': '10000' };

const sharing = (...workers: Worker[]): Promise<void> => shareTasks(PARTITIONS, workers);

/** Every key has been counted by whoever has its partition. */
const hasEveryKey = (records: readonly OutputRecord[]): boolean => new Set(records.map(({ key }) => key)).size === WORKLOAD.keys;

const createOn = (broker: KafkaBroker): Promise<TestApplication> =>
  TestApplication.create({ brokers: broker.brokers, partitions: PARTITIONS, settings: { groupProtocol: 'streams' } });

// A broker of its own, for the sake of its sessions; where ours can run at all is where the secured one does.
describeWithSecureKafka('workers whose tasks the broker assigns', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka({ settings: LONG_SESSIONS });
  }, 180_000);
  afterAll(() => broker.stop());

  const create = (): Promise<TestApplication> => createOn(broker);

  it('share them; when a third one joins some move, and nothing is lost or repeated', SLOW, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 200);
      const third = application.worker();
      await sharing(first, second, third);
      return [first, second, third];
    });
    for (const worker of [first, second]) expect(worker.logged('belong to another one'), worker.output).toBeUndefined();
  });

  it('take over within 2.5 s when one is told to stop by SIGTERM', SLOW, async () => {
    await using application = await create();
    const [stops, stays] = [application.worker(), application.worker()];
    await sharing(stops, stays);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, ({ length }) => length > 200);
      const { left, ms, belowMs } = await quickHandOver(application, PARTITIONS, { stops, stays }, TAKE_OVER_MS);
      // Well below the session timeout: the broker has been told.
      expect(ms, application.log).toBeLessThan(belowMs);
      return [left];
    });
  });

  it('go on when the broker is restarted', { timeout: 600_000 }, async () => {
    for (let attempt = 1; (await countOverRestart()) === 'marker lost'; attempt++) {
      expect(attempt, 'Kafka has lost a marker each time').toBeLessThan(LOST_MARKERS_MAX);
    }
  });

  async function countOverRestart(): Promise<'counted' | 'marker lost'> {
    await using application = await create();
    const { cluster, output } = application;
    const workers = [application.worker(), application.worker()];
    await sharing(...workers);
    const { rounds } = await writeWhile(application, WORKLOAD, async () => {
      await cluster.readUntil(output, ({ length }) => length > 400);
      await broker.restart();
    });
    if ((await drainedOrLost(application)) === 'marker lost') return 'marker lost';
    for (const worker of workers) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const counted = valuesByKey(await cluster.read(output));
    expect(sorted(counted), application.log).toEqual(sorted(countedOnce(WORKLOAD.keys, rounds)));
    return 'counted';
  }

  it('find the internal topics made by the broker, with a partition per task', async () => {
    await using application = await create();
    await application.worker().running();
    const changelog = `${application.id}-counts-changelog`;
    await expect.poll(async () => (await application.cluster.partitions(changelog)).length, { timeout: 60_000 }).toBe(PARTITIONS);
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
    const classic = application.worker({ groupProtocol: 'classic', ...STEADY });
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

// Another one, where members that died or stand still are missed sooner.
describeWithSecureKafka('workers whose tasks the broker assigns, when one is missed', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka({ settings: SHORT_SESSIONS });
  }, 180_000);
  afterAll(() => broker.stop());

  const create = (): Promise<TestApplication> => createOn(broker);

  it('go on from the changelog when one is killed', SLOW, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      await application.cluster.readUntil(application.output, (records) => records.length > 500 && hasEveryKey(records));
      const before = second.restoredRecords;
      await first.kill();
      await sharing(second);
      expect(second.restoredRecords, second.output).toBeGreaterThan(before);
      return [second];
    });
  });

  it('end the transaction that a killed one left open: readers of its output need not wait for the timeout', SLOW, async () => {
    await using application = await create();
    const { cluster, input, output } = application;
    const [keys, perKey, padding] = [30, 100, 'x'.repeat(8000)];
    const slow = { commitIntervalMs: 590_000, transactionTimeoutMs: 600_000, stateDir: `${application.stateDir}/dying` };
    // A quarter of this is held back until the commit: less than the two partitions with the fewest keys make of their input.
    const dying = application.worker({ ...slow, outputBufferMaxBytes: 4 * 1024 * 1024 });
    const heirs = [application.worker(), application.worker()];
    await sharing(dying, ...heirs);
    // More than it holds back, so that a transaction is open on the broker.
    const records = numberedRecords(keys, perKey).map((record) => ({ ...record, value: `${record.value} ${padding}` }));
    await cluster.write(input, records);
    const processId = await readFile(join(slow.stateDir, application.id, '0', 'process-id'), 'utf8');
    const isOpen = async () => (await cluster.client.admin.listOpenTransactions()).some((id) => id.includes(processId));
    await expect.poll(isOpen, { timeout: 60_000 }).toBe(true);
    await dying.kill();
    const killedAtMs = performance.now();

    await application.drained();
    const counted = sorted(valuesByKey(await cluster.readUntil(output, ({ length }) => length >= keys * perKey)));
    // Its session has to end first; of the timeout it would have been the better part.
    expect(performance.now() - killedAtMs, application.log).toBeLessThan(slow.transactionTimeoutMs / 5);
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

  it('are not harmed by one that was frozen for longer than its session', SLOW, async () => {
    await using application = await create();
    const [first, second] = [application.worker(), application.worker()];
    await sharing(first, second);
    await countWhile(application, WORKLOAD, async () => {
      const { cluster, output } = application;
      await cluster.readUntil(output, (records) => records.length > 400 && hasEveryKey(records));
      first.signal('SIGSTOP');
      await sharing(second);
      const { length: before } = await cluster.read(output);
      await cluster.readUntil(output, ({ length }) => length > before + 400);
      first.signal('SIGCONT');
      await sharing(first, second);
      return [first, second];
    });
  });
});
