import { cpSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TaskCorruptedError } from '@millrace/core';
import type { OpenDatabaseOptions, StateDatabase, StateEngine } from '@millrace/state';
import { levelDbEngine } from '@millrace/state-leveldb';
import { start, type StartOptions } from 'millrace';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { STEADY, TestApplication, type TestApplicationOptions } from './test-application.ts';
import { buildTopology } from './topologies.ts';
import type { Worker } from './worker.ts';

const KEYS = 10;

/** Counts records of ten keys, from `first` to `last` of each, in a worker of its own that ends cleanly. */
async function count(application: TestApplication, first: number, last: number): Promise<Worker> {
  await application.cluster.write(application.input, numberedRecords(KEYS, last - first + 1, first));
  const worker = application.worker();
  await worker.running();
  await application.drained();
  expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
  return worker;
}

async function expectCountedOnce(application: TestApplication, last: number): Promise<void> {
  const read = await application.cluster.read(application.output);
  expect(sorted(valuesByKey(read)), application.log).toEqual(sorted(countedOnce(KEYS, last)));
}

/** Starts a worker that has to refuse its work, and writes nothing. */
async function refused(
  application: TestApplication,
): Promise<{ readonly code?: string; readonly message: string; readonly topic?: string }> {
  const before = (await application.cluster.read(application.output, 'read_uncommitted')).length;
  const worker = application.worker();
  expect((await worker.ended).code, worker.output).toBe(1);
  expect(await application.cluster.read(application.output, 'read_uncommitted')).toHaveLength(before);
  return worker.events.findLast(({ event }) => event === 'ended')?.failure ?? { message: worker.output };
}

describeWithKafka('when state, changelogs or offsets are lost', (brokers) => {
  const create = (options: Partial<TestApplicationOptions> = {}): Promise<TestApplication> =>
    TestApplication.create({ brokers, partitions: 1, ...options });
  const changelogOf = ({ id }: TestApplication): string => `${id}-counts-changelog`;

  /** Until the broker knows it no more: before that it may still take records, and show it to who asks. */
  async function deleteChangelog(application: TestApplication): Promise<void> {
    const { cluster } = application;
    await cluster.client.admin.deleteTopics([changelogOf(application)]);
    await expect.poll(() => cluster.partitions(changelogOf(application)), { timeout: 60_000 }).toEqual([]);
  }

  it('F17: goes on when the state directory is deleted under its hands, and restores at the next start', async () => {
    await using application = await create();
    const worker = application.worker();
    await application.cluster.write(application.input, numberedRecords(KEYS, 5));
    await application.drained();
    // Again if the worker has just put something there: what is committed goes to the disk a little later.
    rmSync(application.stateDir, { recursive: true, maxRetries: 10 });
    await application.cluster.write(application.input, numberedRecords(KEYS, 5, 6));
    await application.drained();
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const second = await count(application, 11, 12);
    expect(second.restoredRecords, second.output).toBeGreaterThanOrEqual(KEYS);
    await expectCountedOnce(application, 12);
  });

  it('F18: wipes state that is older than the beginning of the changelog, and restores from there', async () => {
    // Records of a topic that is only compacted cannot be deleted by offset.
    await using application = await create({ settings: { topicConfig: { 'cleanup.policy': 'compact,delete' } } });
    await count(application, 1, 5);
    const stale = `${application.stateDir}-stale`;
    cpSync(application.stateDir, stale, { recursive: true });
    try {
      // With the last marker, which the state has not seen.
      await application.cluster.settled(application.prefix);
      const [at] = await application.cluster.partitions(changelogOf(application));
      const end = (await application.cluster.client.offsets.list([at as never], 'latest')).values().next().value as number;
      await count(application, 6, 10);
      await application.cluster.client.admin.deleteRecords([{ topic: changelogOf(application), partition: 0, offset: end }]);
      rmSync(application.stateDir, { recursive: true });
      cpSync(stale, application.stateDir, { recursive: true });
      const worker = await count(application, 11, 12);
      expect(worker.logged('local state of a task has failed'), worker.output).toBeDefined();
    } finally {
      rmSync(stale, { recursive: true, force: true });
    }
    await expectCountedOnce(application, 12);
  });

  it.each([
    ['with local state', false],
    ['without local state', true],
  ])('F19: refuses to go on without its changelog, %s', async (_name, isWiped) => {
    await using application = await create();
    await count(application, 1, 5);
    await deleteChangelog(application);
    if (isWiped) rmSync(application.stateDir, { recursive: true });
    expect(await refused(application)).toMatchObject({
      code: 'CHANGELOG_MISSING',
      message: expect.stringContaining(`${changelogOf(application)}: missing`),
    });
    const names = (await application.cluster.client.admin.listTopics()).map(({ name }) => name);
    expect(names).not.toContain(changelogOf(application));
  });

  it('F19: goes on with an empty changelog when that is asked for', async () => {
    await using application = await create({ settings: { allowChangelogRebuild: true } });
    await count(application, 1, 5);
    await deleteChangelog(application);
    await count(application, 1, 5);
    const again = countedOnce(KEYS, 5).get('key-0') ?? [];
    const values = valuesByKey(await application.cluster.read(application.output)).get('key-0');
    expect(values, application.log).toEqual([...again, ...again]);
  });

  it('F19: ends with an error that names the changelog when it is deleted while the worker runs', async () => {
    await using application = await create();
    const worker = application.worker();
    await application.cluster.write(application.input, numberedRecords(KEYS, 5));
    await application.drained();
    await deleteChangelog(application);
    await application.cluster.write(application.input, numberedRecords(KEYS, 5, 6));
    expect((await worker.ended).code, worker.output).toBe(1);
    const { failure } = worker.events.findLast(({ event }) => event === 'ended') ?? {};
    expect(failure, worker.output).toMatchObject({ code: 'INTERNAL_TOPIC_MISSING', topic: changelogOf(application) });
  });

  it.each([
    ['configuration', 1, { 'cleanup.policy': 'delete' }, 'INTERNAL_TOPIC_CONFIG', 'cleanup.policy is delete, it must be compact'],
    [
      'partition count',
      3,
      { 'cleanup.policy': 'compact' },
      'INTERNAL_TOPIC_PARTITIONS',
      'has 3 partitions, the topology needs 1',
    ],
  ])('F20: refuses a changelog with another %s', async (_what, partitions, configs, code, message) => {
    await using application = await create();
    await application.cluster.create(changelogOf(application), partitions, configs as unknown as { [name: string]: string });
    expect(await refused(application)).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it.each([
    ['local state is there', false],
    ['only the changelog is there', true],
  ])('F42: refuses to begin anew without committed offsets when %s', async (_name, isWiped) => {
    await using application = await create();
    await count(application, 1, 5);
    await application.cluster.client.admin.deleteGroups([application.id]);
    if (isWiped) rmSync(application.stateDir, { recursive: true });
    expect(await refused(application)).toMatchObject({ code: 'OFFSETS_MISSING', topic: application.input });
  });

  it('F42: begins anew on top of its state when that is asked for', async () => {
    await using application = await create({ settings: { onMissingOffsets: 'reset' } });
    await count(application, 1, 5);
    await application.cluster.client.admin.deleteGroups([application.id]);
    await count(application, 6, 6);
    const values = valuesByKey(await application.cluster.read(application.output)).get('key-0');
    expect(values?.at(-1), application.log).toBe('11:6');
  });

  it('F14: waits while the disk has no room for state, and goes on when it has', async () => {
    await using application = await create();
    const disk = new FullDisk(levelDbEngine());
    await using app = await start(
      buildTopology('counting', application.prefix, () => undefined),
      {
        ...settingsOf(application),
        engine: disk,
      },
    );
    await app.running();
    await application.cluster.write(application.input, numberedRecords(KEYS, 5));
    await application.drained();
    disk.isFull = true;
    await application.cluster.write(application.input, numberedRecords(KEYS, 5, 6));
    await expect.poll(() => disk.refusedToOpen, { timeout: 60_000 }).toBeGreaterThan(2);
    disk.isFull = false;
    await application.cluster.write(application.input, numberedRecords(KEYS, 5, 11));
    await application.drained();
    expect(app.state).toBe('running');
    expect(disk.quarantined).toBe(0);
    await expectCountedOnce(application, 15);
  });

  it.each(['classic', 'streams'] as const)(
    'F14: other workers go on with the tasks of one whose disk stays full, until it has room (%s)',
    async (groupProtocol) => {
      await using application = await create({ partitions: 4, settings: { groupProtocol, ...STEADY } });
      const disk = new FullDisk(levelDbEngine());
      const tasks = new Set<string>();
      await using app = await start(
        buildTopology(
          'counting',
          application.prefix,
          (change, id) => void (change === 'opened' ? tasks.add(id) : tasks.delete(id)),
        ),
        { ...settingsOf(application), groupProtocol, engine: disk },
      );
      await app.running();
      const other = application.worker();
      // From here on no task moves for another reason than the disk.
      await expect
        .poll(() => [tasks.size, app.state, other.tasks.length, other.state], { timeout: 60_000 })
        .toEqual([2, 'running', 2, 'running']);
      await application.cluster.write(application.input, numberedRecords(KEYS, 5));
      await application.drained();
      disk.isFull = true;
      // State is written after the commit: these are committed still.
      await application.cluster.write(application.input, numberedRecords(KEYS, 1, 6));
      await expect.poll(() => app.state, { timeout: 60_000 }).toBe('rebalancing');
      await application.cluster.write(application.input, numberedRecords(KEYS, 4, 7));
      await application.drained();
      expect(app.state).toBe('rebalancing');
      disk.isFull = false;
      await app.running();
      await application.cluster.write(application.input, numberedRecords(KEYS, 5, 11));
      await application.drained();
      expect(disk.quarantined).toBe(0);
      await expectCountedOnce(application, 15);
    },
  );

  it('F14: ends with an error when that is wanted, and has lost nothing', async () => {
    await using application = await create();
    const disk = new FullDisk(levelDbEngine());
    await using app = await start(
      buildTopology('counting', application.prefix, () => undefined),
      {
        ...settingsOf(application),
        onStateDiskFull: 'fail',
        engine: disk,
      },
    );
    await app.running();
    disk.isFull = true;
    await application.cluster.write(application.input, numberedRecords(KEYS, 5));
    await app.finished;
    expect(app.failure).toMatchObject({ name: 'FatalStreamsError', code: 'STATE_DISK_FULL' });
    await count(application, 6, 7);
    await expectCountedOnce(application, 7);
  });

  function settingsOf({ id, stateDir }: TestApplication): StartOptions {
    return {
      applicationId: id,
      brokers: [brokers],
      stateDir,
      guarantee: 'exactly_once_v2',
      commitIntervalMs: 100,
      cacheMaxBytes: 0,
    };
  }
});

/** A disk on which there is no room while the test says so. */
class FullDisk implements StateEngine {
  readonly name = 'full disk';
  readonly persistent = true;
  isFull = false;
  refusedToOpen = 0;
  quarantined = 0;
  readonly #engine: StateEngine;

  constructor(engine: StateEngine) {
    this.#engine = engine;
  }

  async open(options: OpenDatabaseOptions): Promise<StateDatabase> {
    if (this.isFull) {
      this.refusedToOpen++;
      throw noRoom(options.taskId);
    }
    const database = await this.#engine.open(options);
    let failure: Error | undefined;
    return {
      get: (key) => database.get(key),
      entries: (range, how) => database.entries(range, how),
      close: () => database.close(),
      write: (batch) => {
        if (this.isFull) failure ??= noRoom(options.taskId);
        return failure === undefined ? database.write(batch) : Promise.reject(failure);
      },
    };
  }

  quarantine(directory: string): Promise<void> {
    this.quarantined++;
    return this.#engine.quarantine(directory);
  }

  destroy(directory: string): Promise<void> {
    return this.#engine.destroy(directory);
  }
}

function noRoom(taskId: string): TaskCorruptedError {
  return new TaskCorruptedError('STATE_DISK_FULL', 'no room', { taskId });
}
