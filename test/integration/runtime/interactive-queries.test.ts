import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { numberedRecords, valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 40;
const ROUNDS = 100;
const RECORDS_PER_SECOND = 400;
const ANSWERS_MIN = 200;

/** What the questions of a worker must have come to. */
function expectHonest({ asked }: Worker, committed: ReadonlySet<string>, seenMin: number): void {
  expect(asked.seen.length).toBeGreaterThanOrEqual(seenMin);
  expect(asked.seen.filter((stamp) => !committed.has(stamp))).toEqual([]);
  expect(asked).toMatchObject({ torn: 0, forgotten: 0 });
  expect(Object.keys(asked.refused).filter((code) => code !== 'STORE_NOT_HERE' && code !== 'STORE_NOT_READY')).toEqual([]);
}

/** Waits until the worker has asked for each key once more. */
async function askedForAll(worker: Worker): Promise<void> {
  const before = worker.asked.answers;
  await worker.until(({ asked }) => asked.answers > before + 2 * KEYS);
}

/** `<key>=<stamp>` of all stamps that were committed. */
async function committedStamps({ cluster, output }: TestApplication): Promise<Set<string>> {
  const stamps = valuesByKey(await cluster.read(output));
  return new Set([...stamps].flatMap(([key, some]) => some.map((stamp) => `${key}=${stamp}`)));
}

describeWithKafka('queries of the stores of running workers', (brokers) => {
  it('F46: show only what was committed, at one moment, or name the owner, while tasks commit, move, and die with their worker', async () => {
    await using application = await TestApplication.create({ brokers, topology: 'stamping' });
    const { cluster, input } = application;
    const asks = { keys: KEYS };
    const first = application.worker({ applicationServer: 'first:1' }, { asks });
    await first.running();
    const writing = cluster.writeSlowly(input, numberedRecords(KEYS, ROUNDS), RECORDS_PER_SECOND);
    await first.until(({ asked }) => asked.answers > ANSWERS_MIN && asked.scans > 1);

    const second = application.worker({ applicationServer: 'second:2' }, { asks });
    await first.until(({ asked }) => asked.owners.includes('second:2'));
    await second.until(({ asked }) => asked.answers > ANSWERS_MIN && asked.owners.includes('first:1'));
    await second.kill();
    await writing;
    await application.drained();
    await askedForAll(first);
    expect(await first.stop(), first.output).toEqual({ code: 0, signal: null });

    const committed = await committedStamps(application);
    expect(committed.size).toBe(KEYS * ROUNDS);
    // The first one has seen every key, and some of them more than once; the second was there for a moment.
    expectHonest(first, committed, KEYS + 1);
    expectHonest(second, committed, 1);
  });

  it('go to the thread that has the partition, and are honest while threads come and go', async () => {
    await using application = await TestApplication.create({ brokers, topology: 'stamping' });
    const { cluster, input } = application;
    const worker = application.worker({}, { asks: { keys: KEYS }, threads: 2 });
    await worker.running();
    const writing = cluster.writeSlowly(input, numberedRecords(KEYS, ROUNDS), RECORDS_PER_SECOND);
    await worker.until(({ asked }) => asked.answers > ANSWERS_MIN && asked.scans > 1);
    worker.signal('SIGUSR2');
    await worker.until(({ events }) => events.some(({ added }) => added === 3));
    const before = worker.asked.answers;
    await worker.until(({ asked }) => asked.answers > before + ANSWERS_MIN);
    worker.signal('SIGHUP');
    await worker.until(({ events }) => events.some(({ removed }) => removed === 3));
    await writing;
    await application.drained();
    await askedForAll(worker);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const committed = await committedStamps(application);
    expect(committed.size).toBe(KEYS * ROUNDS);
    expectHonest(worker, committed, KEYS + 1);
    // All partitions are in one thread or another: once all run, every key is found.
    expect(new Set(worker.asked.seen.map((stamp) => stamp.split('=')[0])).size).toBe(KEYS);
  });
});
