import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { valuesByKey } from './numbered-records.ts';
import { writeWhile } from './shared-work.ts';
import { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

const KEYS = 40;
const WORKLOAD = { keys: KEYS, perKey: 100, perSecond: 400 };
const ANSWERS_MIN = 200;

/** What the questions of a worker must have come to. */
function expectHonest({ asked }: Worker, committed: ReadonlySet<string>, seenMin: number): void {
  expect(asked.seen.length).toBeGreaterThanOrEqual(seenMin);
  expect(asked.seen.filter((stamp) => !committed.has(stamp))).toEqual([]);
  expect(asked).toMatchObject({ torn: 0, forgotten: 0 });
  expect(Object.keys(asked.refused).filter((code) => code !== 'STORE_NOT_HERE' && code !== 'STORE_NOT_READY')).toEqual([]);
}

/** How many keys the worker has seen a stamp of. */
function keysSeen({ asked }: Worker): number {
  return new Set(asked.seen.map((stamp) => stamp.split('=')[0])).size;
}

/** Waits until it has asked each key over and over, all of them at one moment too, and seen some of them change. */
async function hasSeenAll(worker: Worker): Promise<void> {
  await worker.until((one) => one.asked.answers > ANSWERS_MIN && one.asked.scans > 1 && one.asked.seen.length > KEYS);
  await worker.until((one) => keysSeen(one) === KEYS);
}

/** Waits until the worker shows of each key what was committed last: it has all partitions. */
async function showsLast(worker: Worker, { cluster, output }: TestApplication): Promise<void> {
  const stamps = valuesByKey(await cluster.read(output));
  const last = new Set([...stamps].map(([key, some]) => `${key}=${some.at(-1)}`));
  await worker.until(({ asked }) => asked.seen.filter((stamp) => last.has(stamp)).length === KEYS);
}

/** `<key>=<stamp>` of all stamps that were committed. */
async function committedStamps({ cluster, output }: TestApplication): Promise<Set<string>> {
  const stamps = valuesByKey(await cluster.read(output));
  return new Set([...stamps].flatMap(([key, some]) => some.map((stamp) => `${key}=${stamp}`)));
}

describeWithKafka('queries of the stores of running workers', (brokers) => {
  it('F46: show only what was committed, at one moment, or name the owner, while tasks commit, move, and die with their worker', async () => {
    await using application = await TestApplication.create({ brokers, topology: 'stamping' });
    const asks = { keys: KEYS };
    const first = application.worker({ applicationServer: 'first:1' }, { asks });
    await first.running();
    const { result: second, rounds } = await writeWhile(application, WORKLOAD, async () => {
      await hasSeenAll(first);
      const other = application.worker({ applicationServer: 'second:2' }, { asks });
      await first.until(({ asked }) => asked.owners.includes('second:2'));
      await other.until(({ asked }) => asked.answers > ANSWERS_MIN && asked.seen.length > 0 && asked.owners.includes('first:1'));
      await other.kill();
      return other;
    });
    await application.drained();
    await showsLast(first, application);
    expect(await first.stop(), first.output).toEqual({ code: 0, signal: null });

    const committed = await committedStamps(application);
    expect(committed.size).toBe(KEYS * rounds);
    // The first one has seen every key, and some of them more than once; the second was there for a moment.
    expectHonest(first, committed, KEYS + 1);
    expectHonest(second, committed, 1);
  });

  it('go to the thread that has the partition, and are honest while threads come and go', async () => {
    await using application = await TestApplication.create({ brokers, topology: 'stamping' });
    const worker = application.worker({}, { asks: { keys: KEYS }, threads: 2 });
    await worker.running();
    const { rounds } = await writeWhile(application, WORKLOAD, async () => {
      await hasSeenAll(worker);
      worker.signal('SIGUSR2');
      await worker.until(({ events }) => events.some(({ added }) => added === 3));
      const before = worker.asked.answers;
      await worker.until(({ asked }) => asked.answers > before + ANSWERS_MIN);
      worker.signal('SIGHUP');
      await worker.until(({ events }) => events.some(({ removed }) => removed === 3));
    });
    await application.drained();
    await showsLast(worker, application);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const committed = await committedStamps(application);
    expect(committed.size).toBe(KEYS * rounds);
    expectHonest(worker, committed, KEYS + 1);
    // All partitions are in one thread or another: once all run, every key is found.
    expect(keysSeen(worker)).toBe(KEYS);
  });
});
