import { systemClock } from '@millrace/core';
import type { CommittedOffset } from '@millrace/client';
import { describe, expect, inject, it } from 'vitest';
import { numberedRecords, valuesByKey } from '../integration/runtime/numbered-records.ts';
import { TestApplication, type TestApplicationOptions } from '../integration/runtime/test-application.ts';

const brokers = inject('faultBrokers');
const KEYS = 10;
/** Records of each key in the former topic, and more of them in the new one: every old position exists there, too. */
const FORMER = 5;
const LATTER = 7;

/** What the counting writes for the records of a key from the former topic, and on top of them from the new one. */
const COUNTED_BEFORE = ['1:1', '2:2', '3:3', '4:4', '5:5'];
const COUNTED_ON_TOP = [...COUNTED_BEFORE, '6:1', '7:2', '8:3', '9:4', '10:5', '11:6', '12:7'];

const create = (settings: TestApplicationOptions['settings'] = {}): Promise<TestApplication> =>
  TestApplication.create({ brokers, partitions: 1, settings });

async function topicIdOf({ cluster, input }: TestApplication): Promise<string> {
  return (await cluster.client.admin.describeTopics([input])).get(input)?.topicId ?? '';
}

/** The cluster waits for so long only; where a process needs long to start, it is asked again. */
async function drained(application: TestApplication): Promise<void> {
  const once = (): Promise<void> => application.drained();
  await once().catch(once).catch(once);
}

/** Deletes the input and makes it again, with other records. */
async function recreate(application: TestApplication, whileGone: () => Promise<void> = async () => undefined): Promise<void> {
  const { cluster, input } = application;
  await cluster.client.admin.deleteTopics([input]);
  await whileGone();
  await cluster.create(input, 1);
  await cluster.write(input, numberedRecords(KEYS, LATTER));
}

async function count(application: TestApplication): Promise<CommittedOffset> {
  const { cluster, input, id } = application;
  await cluster.write(input, numberedRecords(KEYS, FORMER));
  await drained(application);
  const [committed] = await cluster.client.offsets.committed(id, [{ topic: input, partition: 0 }]);
  return committed as CommittedOffset;
}

async function countedOf({ cluster, output }: TestApplication, isolation?: 'read_uncommitted'): Promise<string[] | undefined> {
  return valuesByKey(await cluster.read(output, isolation)).get('key-0');
}

/** Starts a worker that has to refuse its work. @returns why it ended; it has written nothing */
async function refused(application: TestApplication): Promise<object> {
  const worker = application.worker();
  expect((await worker.ended).code, worker.output).toBe(1);
  expect(await countedOf(application, 'read_uncommitted')).toEqual(COUNTED_BEFORE);
  return worker.events.findLast(({ event }) => event === 'ended')?.failure ?? { message: worker.output };
}

describe('an input topic that is deleted and made again', () => {
  it.each(['exactly_once_v2', 'at_least_once'] as const)(
    'F21 while the worker runs ends it (%s), and nothing is read from the new one',
    async (guarantee) => {
      await using application = await create({ guarantee });
      const worker = application.worker();
      await count(application);
      const former = await topicIdOf(application);
      await recreate(application);
      expect((await worker.ended).code, worker.output).toBe(1);
      const { failure } = worker.events.findLast(({ event }) => event === 'ended') ?? {};
      expect(failure, worker.output).toMatchObject({
        code: 'INPUT_TOPIC_RECREATED',
        topic: application.input,
        message: expect.stringContaining(`its id was ${former}, now it is ${await topicIdOf(application)}`) as string,
      });
      expect(await countedOf(application, 'read_uncommitted')).toEqual(COUNTED_BEFORE);
    },
  );

  it.each([
    ['has nothing to do', 0],
    ['is in the middle of its work', 5000],
  ])('F21 while the worker %s, and is not made again, ends it', async (_what, perKey) => {
    await using application = await create();
    const worker = application.worker();
    await count(application);
    if (perKey > 0) await application.cluster.write(application.input, numberedRecords(KEYS, perKey, FORMER + 1));
    await application.cluster.client.admin.deleteTopics([application.input]);
    expect((await worker.ended).code, worker.output).toBe(1);
    expect(worker.events.findLast(({ event }) => event === 'ended')?.failure, worker.output).toMatchObject({
      code: 'INPUT_TOPIC_MISSING',
      topic: application.input,
    });
  });

  it.each([
    ['at once', 0],
    ['after a while', 4000],
  ])('F21 %s while the worker runs is read from its start when that is asked for', async (_name, goneMs) => {
    await using application = await create({ onRecreatedInput: 'reset' });
    const worker = application.worker();
    await count(application);
    await recreate(application, () => systemClock.sleep(goneMs));
    await drained(application);
    expect(await countedOf(application), worker.output).toEqual(COUNTED_ON_TOP);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const second = application.worker();
    await application.cluster.write(application.input, numberedRecords(KEYS, 1, LATTER + 1));
    await drained(application);
    expect(await countedOf(application), second.output).toEqual([...COUNTED_ON_TOP, '13:8']);
  });

  it('F21 while no worker runs takes the offsets with it, which is noticed by the state', async () => {
    await using application = await create();
    const worker = application.worker();
    await count(application);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    await recreate(application);
    expect(await refused(application)).toMatchObject({ code: 'OFFSETS_MISSING', topic: application.input });
    application.worker({ onMissingOffsets: 'reset' });
    await drained(application);
    expect(await countedOf(application), application.log).toEqual(COUNTED_ON_TOP);
  });

  it('F21 under a commit that came too late is noticed at the next start, and read anew when that is asked for', async () => {
    await using application = await create();
    const worker = application.worker();
    const committed = await count(application);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    await recreate(application);
    const group = { groupId: application.id, generationId: -1, memberId: '', groupInstanceId: undefined };
    await application.cluster.client.offsets.commit(group, [committed]);
    expect(await refused(application)).toMatchObject({
      code: 'INPUT_TOPIC_RECREATED',
      topic: application.input,
      offset: committed.offset,
    });
    application.worker({ onRecreatedInput: 'reset' });
    await drained(application);
    expect(await countedOf(application), application.log).toEqual(COUNTED_ON_TOP);
  });
});
