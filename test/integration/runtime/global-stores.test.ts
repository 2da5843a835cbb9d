import { readdirSync } from 'node:fs';
import { systemClock } from '@millrace/core';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { InputRecord } from './cluster.ts';
import { valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';

const NAMES = 300;

/** Each person's name and one order of each. */
function names(version: string, count = NAMES): InputRecord[] {
  return Array.from({ length: count }, (_, n) => ({ key: `p${n}`, value: `${version}${n}` }));
}

function orders(of: string, count = NAMES): InputRecord[] {
  return Array.from({ length: count }, (_, n) => ({ key: of, value: `p${n}` }));
}

async function createApplication(brokers: string) {
  const application = await TestApplication.create({ brokers, partitions: 2, topology: 'enriching' });
  const [namesTopic, ranksTopic] = [`${application.prefix}names`, `${application.prefix}ranks`];
  await application.cluster.create(namesTopic, 3);
  await application.cluster.create(ranksTopic, 2);
  return { application, cluster: application.cluster, namesTopic, ranksTopic };
}

describeWithKafka('global stores', (brokers) => {
  it('are complete before the first record is processed, and are there again after a restart', async () => {
    const { application, cluster, namesTopic, ranksTopic } = await createApplication(brokers);
    await using _application = application;
    const { input, output } = application;
    await cluster.write(namesTopic, names('a'));
    await cluster.write(ranksTopic, [
      { key: 'p1', value: '7' },
      { key: 'p2', value: '8' },
    ]);
    await cluster.write(input, orders('first'));
    const worker = application.worker();
    await application.drained();
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(worker.restoredRecords, worker.output).toBe(NAMES + 2);

    await cluster.write(namesTopic, [{ key: 'p1', value: 'b1' }, { key: 'p2' }]);
    await cluster.write(ranksTopic, [{ key: 'p2', value: '9' }]);
    await cluster.write(input, orders('second', 4));
    const heir = application.worker();
    await application.drained();
    expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    expect(heir.restoredRecords, heir.output).toBe(3);
    const values = valuesByKey(await cluster.read(output));
    expect(values.get('first')).toEqual(
      Array.from({ length: NAMES }, (_, n) => `p${n}/a${n}/${n === 1 ? 70 : n === 2 ? 80 : '-'}`),
    );
    expect(values.get('second')).toEqual(['p0/a0/-', 'p1/b1/70', 'p2/-/90', 'p3/a3/-']);
  });

  it('follow their topics while the application runs, in every process', async () => {
    const { application, cluster, namesTopic } = await createApplication(brokers);
    await using _application = application;
    const { input, output } = application;
    await cluster.write(namesTopic, names('a', 2));
    const workers = [application.worker(), application.worker()];
    for (const worker of workers) await worker.running();
    await cluster.write(namesTopic, names('b', 2));
    // A table that every process reads for itself has no moment: the join is asked until the change is there.
    for (let round = 0; ; round++) {
      await cluster.write(
        input,
        [0, 1].map((partition) => ({ key: `${partition}`, value: 'p1', partition })),
      );
      await application.drained();
      const values = valuesByKey(await cluster.read(output));
      if (['0', '1'].every((key) => values.get(key)?.at(-1) === 'p1/b1/-')) break;
      expect(round, application.log).toBeLessThan(100);
    }
    for (const worker of workers) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
  });

  it('resume after a kill from what was saved, at most what the topic holds', async () => {
    const { application, cluster, namesTopic } = await createApplication(brokers);
    await using _application = application;
    const { input, output } = application;
    await cluster.write(namesTopic, names('a'));
    const worker = application.worker();
    await worker.running();
    await worker.kill();
    await cluster.write(namesTopic, names('b', 5));
    const heir = application.worker();
    await cluster.write(input, orders('after', 6));
    await application.drained();
    expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    // What was loaded before the first worker ran was saved before it ran.
    expect(heir.restoredRecords, heir.output).toBe(5);
    expect(valuesByKey(await cluster.read(output)).get('after')).toEqual([
      ...Array.from({ length: 5 }, (_, n) => `p${n}/b${n}/-`),
      'p5/a5/-',
    ]);
  });

  it('are loaded anew when their topic was made anew', async () => {
    const { application, cluster, namesTopic } = await createApplication(brokers);
    await using _application = application;
    const { input, output } = application;
    await cluster.write(namesTopic, names('a'));
    const worker = application.worker();
    await worker.running();
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    await cluster.client.admin.deleteTopics([namesTopic]);
    await expect.poll(() => cluster.partitions(namesTopic), { timeout: 90_000 }).toEqual([]);
    await cluster.create(namesTopic, 3);
    await cluster.write(namesTopic, names('c', 2));
    await cluster.write(input, orders('new', 3));
    const heir = application.worker();
    await application.drained();
    expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    expect(valuesByKey(await cluster.read(output)).get('new')).toEqual(['p0/c0/-', 'p1/c1/-', 'p2/-/-']);
    const aside = readdirSync(application.taskDirectory('')).filter((name) => name.startsWith('global.corrupt'));
    expect(aside).toHaveLength(1);
  });

  it('honour the handler for what cannot be deserialised when their processor runs on restore', async () => {
    const { application, cluster, ranksTopic } = await createApplication(brokers);
    await using _application = application;
    const { input, output } = application;
    await cluster.write(ranksTopic, [
      { key: 'p0', value: '1', partition: 0 },
      { key: 'p1', value: 'no JSON', partition: 0 },
      { key: 'p2', value: '3', partition: 0 },
    ]);
    const failing = application.worker();
    expect(await failing.ended, failing.output).toEqual({ code: 1, signal: null });
    expect(failing.events.at(-1)?.failure).toMatchObject({ code: 'DESERIALIZATION_FAILED', topic: ranksTopic, offset: 1 });
    await cluster.write(input, orders('skipping', 3));
    const skipping = application.worker({}, { skipUnreadable: true });
    await application.drained();
    expect(await skipping.stop(), skipping.output).toEqual({ code: 0, signal: null });
    expect(valuesByKey(await cluster.read(output)).get('skipping')).toEqual(['p0/-/10', 'p1/-/-', 'p2/-/30']);
  });

  it('make the application fail when their topic does not exist', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 1, topology: 'enriching' });
    const worker = application.worker();
    expect(await worker.ended, worker.output).toEqual({ code: 1, signal: null });
    expect(worker.events.at(-1)?.failure).toMatchObject({ code: 'SOURCE_TOPIC_MISSING', topic: `${application.prefix}names` });
  });
});

describeWithKafka('a source topic that serves as changelog', (brokers) => {
  it('restores the table up to the committed offsets, and no changelog is made', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 1, topology: 'reusing' });
    const { cluster, input, output, prefix, id } = application;
    const namesTopic = `${prefix}names`;
    await cluster.create(namesTopic, 1);
    await cluster.write(namesTopic, [...names('a', 20), ...names('b', 10)]);
    const worker = application.worker();
    await application.drained(namesTopic);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    await cluster.write(namesTopic, [{ key: 'p1', value: 'late', timestamp: systemClock.nowMs() + 600_000 }]);
    await cluster.write(input, [
      { key: 'p0', value: 'x', timestamp: 1 },
      { key: 'p1', value: 'x', timestamp: 1 },
      { key: 'p15', value: 'x', timestamp: 1 },
    ]);
    const heir = application.worker({ stateDir: `${application.stateDir}/elsewhere` });
    await application.drained();
    expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    // The record behind the committed offset is processed, not restored: it comes after the older ones of the stream.
    expect(heir.restoredRecords, heir.output).toBe(30);
    const values = valuesByKey(await cluster.read(output));
    expect([...values.values()].flat()).toEqual(['x/b0', 'x/b1', 'x/a15']);
    const topics = (await cluster.client.admin.listTopics()).map(({ name }) => name);
    expect(topics.filter((name) => name.startsWith(id))).toEqual([]);
  });
});
